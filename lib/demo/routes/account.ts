import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../bank.ts'
import { LARGE_TRANSFER, RECENT } from '../ledger.ts'
import { formatMoney, parseMoney } from '../money.ts'
import type { TransferForm } from '../pages/account.ts'
import { accountPage } from '../pages/account.ts'
import { confirmPage } from '../pages/confirm.ts'
import { customerOf } from './customer.ts'
import { field } from './form.ts'
import { sendPage, takeNotice } from './send-page.ts'

const SHOWN_TRANSFERS = 8
const MAX_REFERENCE_LENGTH = 80
const EMPTY: TransferForm = { to: '', amount: '', reference: '' }

/** The account, its transfers, and the password that a large transfer asks for. */
export function accountRoutes(app: FastifyInstance, bank: Bank): void {
  const preHandler = app.requireLogin()
  const requireRecentLogin = app.requireLogin({ within: RECENT })

  app.get('/account', { preHandler }, async (request, reply) => sendAccount(bank, request, reply))

  app.post('/transfers', { preHandler }, async (request, reply) => {
    const { form, amount } = readTransfer(request.body)
    if ((amount ?? 0) >= LARGE_TRANSFER) {
      request.session.bankDraft = form
      await requireRecentLogin(request)
    }
    return transfer(bank, request, reply, form, amount)
  })

  app.get('/confirm', { preHandler }, async (request, reply) =>
    sendPage(bank, request, reply, confirmPage(customerOf(bank, request))),
  )

  app.post('/confirm', { preHandler }, (request, reply) => confirm(bank, request, reply))
}

function transfer(
  bank: Bank,
  request: FastifyRequest,
  reply: FastifyReply,
  form: TransferForm,
  amount: number | undefined,
): FastifyReply {
  const { ledger, clock } = bank
  const { to, reference } = form
  const from = customerOf(bank, request).id
  const order = amount === undefined ? undefined : { at: clock(), from, to, amount, reference }
  const refusal = order === undefined ? 'Write the amount like 12 or 12.50.' : ledger.refusal(order)
  if (order === undefined || refusal !== undefined) return sendAccount(bank, request, reply.code(422), form, refusal)
  ledger.send(order)
  delete request.session.bankDraft
  request.session.bankNotice = `${formatMoney(order.amount)} sent to ${bank.accounts.find(to)?.name}.`
  return reply.redirect('/account', 303)
}

async function confirm(bank: Bank, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const customer = customerOf(bank, request)
  const found = await bank.accounts.check(customer.id, field(request.body, 'password'))
  if (found === undefined) {
    return sendPage(bank, request, reply.code(403), confirmPage(customer, 'This is not the password.'))
  }
  await request.confirmLogin()
  const isWaiting = request.session.bankDraft !== undefined
  request.session.bankNotice = `Thank you${isWaiting ? '. Your transfer is filled in below: look it over and send it.' : '.'}`
  return reply.redirect('/account', 303)
}

function sendAccount(
  bank: Bank,
  request: FastifyRequest,
  reply: FastifyReply,
  form: TransferForm = request.session.bankDraft ?? EMPTY,
  error?: string,
): FastifyReply {
  const customer = customerOf(bank, request)
  const view = accountPage({
    customer,
    balance: bank.ledger.balanceOf(customer.id),
    transfers: bank.ledger.recent(customer.id, SHOWN_TRANSFERS),
    recipients: bank.accounts.others(customer.id),
    form,
    notice: takeNotice(request),
    error,
  })
  return sendPage(bank, request, reply, view)
}

function readTransfer(body: unknown): { form: TransferForm; amount: number | undefined } {
  const form = {
    to: field(body, 'to').slice(0, 40),
    amount: field(body, 'amount').slice(0, 20),
    reference: field(body, 'reference').replace(/\s+/g, ' ').trim().slice(0, MAX_REFERENCE_LENGTH),
  }
  return { form, amount: parseMoney(form.amount) }
}
