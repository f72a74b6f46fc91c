import cookiePlugin from '@fastify/cookie'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { NOTE, OpenReplies } from './connections/open-replies.ts'
import { SessionWatch } from './connections/session-watch.ts'
import { watchUpgrades } from './connections/websockets.ts'
import { SessionEvents } from './events.ts'
import { requireLoginFactory, sessionsApi } from './http/app-decorators.ts'
import { addDeviceRoutes } from './http/device-routes.ts'
import { createSessionOpener } from './http/fastify-session.ts'
import { finishSession, loadRequestSession } from './http/hooks.ts'
import { OldCookies } from './http/old-cookies.ts'
import { refuseCrossOrigin } from './http/refuse-cross-origin.ts'
import type { SessionOf } from './http/request-decorators.ts'
import { requestDecorators } from './http/request-decorators.ts'
import { HAS_DUPLICATES, IS_BY_HEADER, readSession, REPLY, SLOT } from './http/request-slot.ts'
import type { Settings } from './options.ts'
import { Registration } from './registration.ts'
import { bothUsers } from './session/actor.ts'
import { DeviceProofs } from './session/device-bound/proofs.ts'
import type { Engine } from './session/engine.ts'
import { ENGINE } from './session/engine.ts'
import { FreshUsers } from './session/fresh-users.ts'
import { SessionIds } from './session/id.ts'
import { noteOpenings, revokeOld } from './session/move-mark.ts'
import { UserSessions } from './session/user-sessions.ts'
import { UserSnapshots } from './session/user-snapshot.ts'
import { CutoffGate } from './storage/cutoff-gate.ts'
import { Deadlines } from './storage/deadlines.ts'
import { Recent } from './storage/recent.ts'
import { startSweeper } from './storage/sweeper.ts'
import { TimedStore } from './storage/timed-store.ts'
import { memoryStore } from './stores/memory.ts'
import type { AbsenceReports, Closing, SecureSessionOptions, SessionStore } from '../types/index.ts'

/** The number of dead ids of recent logins that are remembered, and as many again. */
const MAX_REPLACED_IDS = 1_000

const plugin: FastifyPluginAsync<SecureSessionOptions> = async (app, given) => {
  const registration = new Registration(app, given)
  const { options, settings } = registration
  app.addHook('onRoute', function (route) {
    registration.configs.add(this, route)
  })
  app.addHook('onRegister', (context) => void registration.contexts.push(context))
  if (!app.hasReplyDecorator('setCookie')) await app.register(cookiePlugin)

  const engine = await createEngine(app, settings, options.store ?? memoryStore({ clock: settings.clock }))
  decorate(app, engine, registration)

  app.addHook('onReady', () => registration.checkNeighbours())
  registration.watchEvents(engine.events)
  const replies = new OpenReplies(engine.watch)
  app.addHook('onRequest', registration.watchRequests())
  app.addHook('onRequest', registration.watchAnswers())
  app.addHook('onRequest', watchUpgrades(engine.watch, replies))
  if (engine.device !== undefined) addDeviceRoutes(app, engine, engine.device)
  if (settings.crossOriginProtection) addRefusal(app, engine, registration)
  const old = await openOldCookies(app, engine)
  app.addHook('onRequest', loadRequestSession(engine, replies, old))
  app.addHook('onSend', finishSession(engine, replies))
  if (old !== undefined) app.addHook('onSend', old.finish())
  endWithSession(app, engine, replies)
  if (settings.sweepInterval > 0) keepSwept(app, engine)
  app.addHook('onClose', () => closeOwn(options.store))
}

/**
 * Registers secure sessions: `req.login`, `req.logout`, `req.user`, `req.session`, `app.requireLogin`, `app.sessions`.
 *
 * Checks the options first; a fatal finding rejects the registration with `SecureSessionConfigError`
 * (code `SESSION_GUARD_REFUSED`), so that the app never listens.
 */
export const secureSession: FastifyPluginAsync<SecureSessionOptions> = fastifyPlugin(plugin, {
  name: 'fastify-session-guard',
  fastify: '5.x',
})

/** The engine of a plugin, and the watch as the plugin drives it. */
type PluginEngine = Engine & { readonly watch: SessionWatch }

async function createEngine(app: FastifyInstance, settings: Settings, kept: SessionStore): Promise<PluginEngine> {
  const events = new SessionEvents(app.log, settings.clock)
  const store = new TimedStore(kept, settings.storeTimeout, events, settings.namespace, reportsTo(settings, events))
  const gate = store.has('readCutoff') ? new CutoffGate(store) : undefined
  store.gate = gate
  const engine: PluginEngine = {
    settings,
    events,
    store,
    gate,
    watch: new SessionWatch(() => engine),
    ids: new SessionIds(settings.secrets, settings.cookie.name),
    // No cookie has a name with spaces, so an id of one class is never one of the other.
    headerIds: settings.headerTransport && new SessionIds(settings.secrets, `${settings.cookie.name} in a header`),
    device: deviceOf(app, settings),
    users: new UserSessions(settings, store, events),
    snapshots: new UserSnapshots(),
    freshUsers: new FreshUsers(),
    deadlines: new Deadlines(settings.storeTimeout),
    replacedIds: new Recent(MAX_REPLACED_IDS),
    openSession: await createSessionOpener(app, settings.cookie),
  }
  return engine
}

function deviceOf({ prefix }: FastifyInstance, { deviceBound, secrets, cookie }: Settings): DeviceProofs | undefined {
  if (deviceBound === undefined) return undefined
  return new DeviceProofs({ ...deviceBound, path: prefix + deviceBound.path }, secrets, cookie.name)
}

/** Ends what is open with its session. Connections end before the server closes, because the server waits for them. */
function endWithSession(app: FastifyInstance, { watch, store, gate }: PluginEngine, replies: OpenReplies): void {
  store.onChange = (handle, record, why) => watch.settle(handle, record, why)
  watch.beforeJudging = (handle) => replies.find(handle)
  if (gate !== undefined) {
    gate.onUse = () => watch.listen()
    gate.onRaise = () => watch.lookSoon()
  }
  app.addHook('preClose', async () => {
    replies.close()
    await watch.close()
  })
}

/** Returns functions that turn a store's reports on damaged and expired records into events. */
function reportsTo({ clock }: Settings, events: SessionEvents): AbsenceReports {
  return {
    onDamaged: (handle) => events.emit({ type: 'damaged', handle }),
    onExpired: (record) => {
      const { handle, userId, absoluteDeadline } = record
      const reason = clock() >= absoluteDeadline ? 'absolute' : 'idle'
      events.emit({ type: 'expire', handle, userId, ...bothUsers(record), reason })
    },
  }
}

function decorate(app: FastifyInstance, engine: Engine, registration: Registration): void {
  const { decorators } = engine.settings
  const sessionOf: SessionOf = (request) => readSession(engine, request)
  app.decorateRequest(SLOT, 'early')
  app.decorateRequest(REPLY, null)
  app.decorateRequest(HAS_DUPLICATES, false)
  app.decorateRequest(NOTE, undefined)
  app.decorateRequest(IS_BY_HEADER, false)
  for (const [name, decorator] of requestDecorators(decorators, sessionOf)) app.decorateRequest(name, decorator)
  app.decorate(decorators.requireLogin, requireLoginFactory(engine, sessionOf, registration))
  app.decorate(decorators.sessions, sessionsApi(engine))
  // A function, so that a logged app shows nothing of the engine.
  app.decorate(ENGINE, () => engine)
}

function addRefusal(app: FastifyInstance, engine: Engine, registration: Registration): void {
  const { onRequest, preParsing } = refuseCrossOrigin(engine, app, (origin) => registration.reportCorsConflict(origin))
  app.addHook('onRequest', onRequest)
  app.addHook('preParsing', preParsing)
}

/** Opens the way in for sessions of other libraries. An app without `migrateFrom` pays nothing for it. */
async function openOldCookies(app: FastifyInstance, engine: Engine): Promise<OldCookies | undefined> {
  const { migrateFrom } = engine.settings
  if (migrateFrom.length === 0) return undefined
  for (const migration of migrateFrom) await migration.prepare()
  app.addHook('onReady', () => noteOpenings(engine))
  engine.users.beforeRevocation = (userId) => revokeOld(engine, userId)
  return new OldCookies(engine)
}

/** Ends the connection of a store that opened it by itself. A client that the app has made is the app's to close. */
async function closeOwn(store: (SessionStore & Partial<Closing>) | undefined): Promise<void> {
  await store?.close?.()
}

function keepSwept(app: FastifyInstance, engine: Engine): void {
  const sessions = sessionsApi(engine)
  const sweeper = startSweeper(engine.settings.sweepInterval, () => sessions.sweep())
  app.addHook('onClose', async () => sweeper.stop())
}
