import type { ServerOptions } from 'node:https'
import formBody from '@fastify/formbody'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { secureSession } from '../index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { Accounts } from './accounts.ts'
import { AttackRunner } from './attacks/runner.ts'
import type { TargetOptions } from './attacks/target.ts'
import { openTarget } from './attacks/target.ts'
import type { Bank } from './bank.ts'
import type { BankClock } from './clock.ts'
import { movableClock } from './clock.ts'
import { cookieAttributes } from './cookie-facts.ts'
import { EndedSessions } from './ended-sessions.ts'
import { IssuedIds } from './issued-ids.ts'
import { Journal } from './journal.ts'
import { Ledger } from './ledger.ts'
import { accountRoutes } from './routes/account.ts'
import { assetRoutes } from './routes/assets.ts'
import { attackRoutes } from './routes/attacks.ts'
import { clockRoutes } from './routes/clock.ts'
import { deviceRoutes } from './routes/devices.ts'
import { answerUnroutable, errorPages, notFoundPage, PAGE_HEADERS } from './routes/errors.ts'
import { loginRoutes } from './routes/login.ts'
import { fillPanel } from './routes/send-page.ts'
import { TIMEOUTS } from './timeouts.ts'

/** Options of a bank. */
export interface BankOptions {
  /** Options of the plugin. Default: the bank's timeouts and `environment: 'development'`. */
  readonly session?: SecureSessionOptions
  /** The time of the bank, which its pages can move forward. Default: a clock that follows `session.clock`. */
  readonly clock?: BankClock
  /** Key and certificate, to serve https. Default: plain http. */
  readonly https?: ServerOptions
  /** Receives the log lines. Default: no log. */
  readonly logger?: FastifyBaseLogger
}

/** More than any form of the bank holds. */
const BODY_LIMIT = 16_384

/**
 * Builds the bank as a Fastify app, ready to `listen` or `inject`.
 * @throws `SESSION_GUARD_REFUSED` for options that the guard refuses
 */
export async function buildBank(options: BankOptions = {}): Promise<FastifyInstance> {
  const { app, bank } = await buildPages(options)
  const attacks = new AttackRunner(bank.clock, () =>
    openTarget(buildTarget, bank.clock(), targetOptions(options, bank)),
  )
  await app.register(async (pages) => {
    errorPages(pages, bank)
    attackRoutes(pages, bank, attacks)
  })
  return app
}

/** Builds the second bank that an attack is made on: the same pages, without the attack page. */
export async function buildTarget(options: BankOptions): Promise<FastifyInstance> {
  const { app } = await buildPages(options)
  return app
}

/** Returns the options of the bank without which a browser binds no session. */
function targetOptions({ session, https }: BankOptions, { isBinding }: Bank): TargetOptions {
  return isBinding ? { session: { cookie: session?.cookie, deviceBound: session?.deviceBound }, https } : {}
}

async function buildPages(options: BankOptions): Promise<{ app: FastifyInstance; bank: Bank }> {
  const clock = options.clock ?? movableClock(options.session?.clock ?? Date.now)
  const session: SecureSessionOptions = { environment: 'development', ...TIMEOUTS, ...options.session, clock }
  const app = createApp(options)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(PAGE_HEADERS)
  })
  await app.register(formBody)
  await app.register(secureSession, session)
  const journal = new Journal(app.sessions)
  const bank: Bank = {
    accounts: await Accounts.open(),
    ledger: new Ledger(clock()),
    journal,
    issued: new IssuedIds(journal),
    ended: new EndedSessions(),
    cookie: cookieAttributes(session),
    isBinding: options.https !== undefined && Boolean(session.deviceBound),
    clock,
  }
  await addPages(app, bank)
  return { app, bank }
}

async function addPages(app: FastifyInstance, bank: Bank): Promise<void> {
  // Hooks run in the order of their registration. The plugin has written its cookie when this hook runs.
  app.addHook('onSend', fillPanel(bank))
  errorPages(app, bank)
  await app.register(async (pages) => {
    // An error handler of a second level: when the page of an error cannot store its session, the handler above
    // answers.
    errorPages(pages, bank)
    assetRoutes(pages)
    loginRoutes(pages, bank)
    accountRoutes(pages, bank)
    deviceRoutes(pages, bank)
    clockRoutes(pages, bank)
  })
  notFoundPage(app, bank)
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
