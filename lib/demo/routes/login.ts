import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../bank.ts'
import { loginPage } from '../pages/login.ts'
import { field } from './form.ts'
import { presentedCookie, sendPage } from './send-page.ts'

/** The pages that a login may lead to. No other address is accepted. */
const TARGETS: ReadonlyMap<string, string> = new Map([
  ['account', '/account'],
  ['devices', '/devices'],
])

/** The value of `from` after a logout. */
const AFTER_LOGOUT = 'bye'

/** The messages of the login page, by where the visitor comes from. */
const NOTICES: ReadonlyMap<string, string> = new Map([
  [AFTER_LOGOUT, 'You are logged out. The server deleted the session, and this browser deleted the cookie.'],
  ['account', 'Please log in. Your session has ended, or you had none yet.'],
  ['devices', 'Please log in. Your session has ended, or you had none yet.'],
])

/** Returns the address that a logout leads to. The page there tells what became of the session with this handle. */
export function loggedOutAddress(bank: Bank, handle: string): string {
  return `/?from=${AFTER_LOGOUT}${endedQuery(bank, handle)}`
}

/**
 * Returns the login page's address for a request that needs a login. If the visitor's session just ended, the page says
 * how.
 */
export function loginAddress(bank: Bank, request: FastifyRequest): string {
  const from = request.url === '/devices' ? 'devices' : 'account'
  return `/?from=${from}${endedQuery(bank, bank.issued.handleOf(presentedCookie(bank, request)))}`
}

function endedQuery(bank: Bank, handle: string | undefined): string {
  const ticket = bank.ended.ticketFor(handle)
  return ticket === undefined ? '' : `&ended=${ticket}`
}

/** The login page, the login and the logout. */
export function loginRoutes(app: FastifyInstance, bank: Bank): void {
  app.get('/', async (request, reply) => {
    if (request.isAuthenticated()) return reply.redirect('/account', 303)
    const from = field(request.query, 'from')
    // The bank begins a session before the login, to show that an id from before the login opens nothing after it.
    if (from !== AFTER_LOGOUT && !isFromElsewhere(request)) request.session.bankVisitedAt ??= bank.clock()
    const view = loginPage({ name: '', remember: false, notice: NOTICES.get(from), next: from })
    return sendPage(bank, request, reply, view)
  })

  app.post('/login', (request, reply) => logIn(bank, request, reply))

  app.post('/logout', async (request, reply) => {
    const { sessionId } = request.session
    await request.logout()
    return reply.redirect(loggedOutAddress(bank, sessionId), 303)
  })
}

/**
 * Tells whether a link of another site led here. The browser then leaves a Strict cookie out, and a new session would
 * replace the cookie: a logout.
 */
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
  await request.login({ id: customer.id }, { remember })
  return reply.redirect(TARGETS.get(next) ?? '/account', 303)
}
