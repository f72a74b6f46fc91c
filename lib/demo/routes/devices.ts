import type { FastifyInstance } from 'fastify'
import type { Bank } from '../bank.ts'
import { devicesPage } from '../pages/devices.ts'
import { customerOf } from './customer.ts'
import { field } from './form.ts'
import { loggedOutAddress } from './login.ts'
import { sendPage, takeNotice } from './send-page.ts'

/** The list of a customer's sessions, and the buttons that end them. */
export function deviceRoutes(app: FastifyInstance, bank: Bank): void {
  const preHandler = app.requireLogin()

  app.get('/devices', { preHandler }, async (request, reply) => {
    const sessions = await app.sessions.list(customerOf(bank, request).id)
    const own = request.session.sessionId
    const { isBinding } = bank
    const view = devicesPage({ sessions, own, isBinding, now: bank.clock(), notice: takeNotice(request) })
    return sendPage(bank, request, reply, view)
  })

  app.post('/devices/revoke', { preHandler }, async (request, reply) => {
    const handle = field(request.body, 'handle')
    if (handle === request.session.sessionId) {
      await request.logout()
      return reply.redirect(loggedOutAddress(bank, handle), 303)
    }
    const isEnded = await app.sessions.revoke(handle, { userId: customerOf(bank, request).id })
    request.session.bankNotice = isEnded ? 'That device is logged out.' : 'That device was logged out already.'
    return reply.redirect('/devices', 303)
  })

  app.post('/devices/revoke-others', { preHandler }, async (request, reply) => {
    await request.logout({ others: true })
    request.session.bankNotice = 'All other devices are logged out.'
    return reply.redirect('/devices', 303)
  })
}
