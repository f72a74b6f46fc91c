import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../bank.ts'
import { loginPage } from '../pages/login.ts'
import { field } from './form.ts'
import { sendPage } from './send-page.ts'

/** Pages that a login may lead to. A list, so that no link can lead anywhere else. */
const TARGETS: ReadonlyMap<string, string> = new Map([
  ['account', '/account'],
  ['devices', '/devices'],
])

/** Says that somebody comes from a logout. */
const AFTER_LOGOUT = 'bye'

/** What the login page says to those who come from somewhere else. */
const NOTICES: ReadonlyMap<string, string> = new Map([
  [AFTER_LOGOUT, 'You are logged out. The session is gone from the server, and its cookie from this browser.'],
  ['account', 'Please log in: there is no session any more, or there was none yet.'],
  ['devices', 'Please log in: there is no session any more, or there was none yet.'],
])

/** Where a logout leads. */
export const LOGGED_OUT_ADDRESS: string = `/?from=${AFTER_LOGOUT}`

/** Where an anonymous request for a page of the bank is sent. */
export function loginAddress(url: string): string {
  return url === '/devices' ? '/?from=devices' : '/?from=account'
}

/** Logging in and out. */
export function loginRoutes(app: FastifyInstance, bank: Bank): void {
  app.get('/', async (request, reply) => {
    if (request.isAuthenticated()) return reply.redirect('/account', 303)
    const from = field(request.query, 'from')
    // A visitor needs no session. This one gets one, to show that an id from before the login dies with it.
    if (from !== AFTER_LOGOUT && !isFromElsewhere(request)) request.session.bankVisitedAt ??= bank.clock()
    const view = loginPage({ name: '', remember: false, notice: NOTICES.get(from), next: from })
    return sendPage(bank, request, reply, view)
  })

  app.post('/login', (request, reply) => logIn(bank, request, reply))

  app.post('/logout', async (request, reply) => {
    await request.logout()
    return reply.redirect(LOGGED_OUT_ADDRESS, 303)
  })
}

/** Whether another site's link led here. A Strict cookie stays behind then, and a session begun now would take its place: a logout. */
function isFromElsewhere({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}

async function logIn(bank: Bank, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { body } = request
  const [name, next] = [field(body, 'name').trim().slice(0, 40), field(body, 'next')]
  const remember = field(body, 'remember') === 'yes'
  const customer = await bank.accounts.check(name.toLowerCase(), field(body, 'password'))
  if (customer === undefined) {
    const error = 'This name and password do not belong together.'
    return sendPage(bank, request, reply.code(401), loginPage({ name, remember, error, next }))
  }
  const { bankVisitedAt, sessionId } = request.session
  await request.login({ id: customer.id }, { remember })
  if (bankVisitedAt !== undefined) request.session.bankHandleBefore = sessionId
  return reply.redirect(TARGETS.get(next) ?? '/account', 303)
}
