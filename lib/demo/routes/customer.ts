import type { FastifyRequest } from 'fastify'
import type { Customer } from '../accounts.ts'
import type { Bank } from '../bank.ts'

/** Returns the customer who sent the request, on a route behind `requireLogin`. */
export function customerOf(bank: Bank, request: FastifyRequest): Customer {
  const customer = bank.accounts.find(request.user?.id)
  if (customer === undefined) throw new TypeError('a session names somebody who does not bank here')
  return customer
}
