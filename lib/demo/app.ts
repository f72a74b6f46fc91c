import type { ServerOptions } from 'node:https'
import formBody from '@fastify/formbody'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { secureSession } from '../index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { Accounts } from './accounts.ts'
import type { Bank } from './bank.ts'
import { cookieAttributes } from './cookie-facts.ts'
import { Journal } from './journal.ts'
import { Ledger } from './ledger.ts'
import { accountRoutes } from './routes/account.ts'
import { assetRoutes } from './routes/assets.ts'
import { deviceRoutes } from './routes/devices.ts'
import { answerUnroutable, errorPages, notFoundPage, PAGE_HEADERS } from './routes/errors.ts'
import { loginRoutes } from './routes/login.ts'

/** What a bank can be built with. */
export interface BankOptions {
  /** Options of the plugin. Default: none but `environment: 'development'`. */
  readonly session?: SecureSessionOptions
  /** Key and certificate, to serve https. Default: plain http. */
  readonly https?: ServerOptions
  /** Where log lines go. Default: nowhere. */
  readonly logger?: FastifyBaseLogger
}

/** More than any form of the bank holds. */
const BODY_LIMIT = 16_384

/**
 * The bank as a Fastify app, ready to `listen` or `inject`. Its time is `session.clock`.
 * @throws `SESSION_GUARD_REFUSED` for options that the guard refuses
 */
export async function buildBank(options: BankOptions = {}): Promise<FastifyInstance> {
  const session: SecureSessionOptions = { environment: 'development', ...options.session }
  const app = createApp(options)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(PAGE_HEADERS)
  })
  await app.register(formBody)
  await app.register(secureSession, session)

  const clock = session.clock ?? Date.now
  const bank: Bank = {
    accounts: await Accounts.open(),
    ledger: new Ledger(clock()),
    journal: new Journal(app.sessions),
    cookie: cookieAttributes(session),
    clock,
  }
  errorPages(app, bank)
  await app.register(async (pages) => {
    // Once more on a level of its own: when an error's page cannot store its session, that error meets the handler above.
    errorPages(pages, bank)
    assetRoutes(pages)
    loginRoutes(pages, bank)
    accountRoutes(pages, bank)
    deviceRoutes(pages, bank)
  })
  notFoundPage(app, bank)
  return app
}

function createApp({ https, logger }: BankOptions): FastifyInstance {
  const shared = {
    bodyLimit: BODY_LIMIT,
    // An address that cannot be decoded is refused before any hook runs.
    frameworkErrors: answerUnroutable,
    ...(logger && { loggerInstance: logger }),
  }
  return https === undefined ? Fastify(shared) : Fastify({ ...shared, https })
}
