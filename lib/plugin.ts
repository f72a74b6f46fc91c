import cookiePlugin from '@fastify/cookie'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { requireLoginFactory, sessionsApi } from './http/app-decorators.ts'
import { SessionEvents } from './events.ts'
import { createSessionOpener } from './http/fastify-session.ts'
import { finishSession, loadSession, refuseCrossOrigin } from './http/hooks.ts'
import { ObservedStore } from './storage/observed-store.ts'
import type { Settings } from './options.ts'
import { Registration } from './registration.ts'
import type { SessionOf } from './http/request-decorators.ts'
import { requestDecorators } from './http/request-decorators.ts'
import { ANSWERED, OPTED_OUT, readSession, SESSION } from './http/request-slot.ts'
import { SessionIds } from './session/id.ts'
import type { Parts } from './session/parts.ts'
import { PARTS } from './session/parts.ts'
import { UserSessions } from './session/user-sessions.ts'
import { UserSnapshots } from './session/user-snapshot.ts'
import { memoryStore } from './stores/memory.ts'
import { startSweeper } from './storage/sweeper.ts'
import { watchUpgrades } from './connections/websockets.ts'
import type { SecureSessionOptions, SessionStore } from '../types/index.ts'

const plugin: FastifyPluginAsync<SecureSessionOptions> = async (app, given) => {
  const registration = new Registration(app, given)
  const { options, settings } = registration
  app.addHook('onRegister', (context) => void registration.contexts.push(context))
  if (!app.hasReplyDecorator('setCookie')) await app.register(cookiePlugin)

  const parts = await createParts(app, settings, options.store ?? memoryStore({ clock: settings.clock }))
  decorate(app, parts, registration)

  app.addHook('onReady', () => registration.checkNeighbours())
  app.addHook('onRoute', (route) => registration.noteRoute(route))
  app.addHook('onRequest', registration.watchRequests())
  app.addHook('onRequest', registration.watchAnswers())
  app.addHook('onRequest', watchUpgrades(parts, parts.store))
  if (settings.crossOriginProtection) app.addHook('onRequest', refuseCrossOrigin(parts))
  app.addHook('onRequest', loadSession(parts))
  app.addHook('onSend', finishSession())
  if (settings.sweepInterval > 0) keepSwept(app, parts)
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

async function createParts(
  app: FastifyInstance,
  settings: Settings,
  kept: SessionStore,
): Promise<Parts & { readonly store: ObservedStore }> {
  const events = new SessionEvents(app.log, settings.clock)
  listenTo(kept, settings, events)
  const store = new ObservedStore(kept, settings.storeTimeout, events)
  return {
    settings,
    events,
    store,
    ids: new SessionIds(settings.secrets, settings.cookie.name),
    users: new UserSessions(settings, store, events),
    snapshots: new UserSnapshots(),
    openSession: await createSessionOpener(app, settings.cookie),
  }
}

/** A frozen store takes no listener, and is a store all the same. */
function listenTo(kept: SessionStore, { clock }: Settings, events: SessionEvents): void {
  const onDamaged: SessionStore['onDamaged'] = (handle) => events.emit({ type: 'damaged', handle })
  const onExpired: SessionStore['onExpired'] = ({ handle, userId, absoluteDeadline }) => {
    const reason = clock() >= absoluteDeadline ? 'absolute' : 'idle'
    events.emit({ type: 'expire', handle, userId, reason })
  }
  Reflect.set(kept, 'onDamaged', onDamaged)
  Reflect.set(kept, 'onExpired', onExpired)
}

function decorate(app: FastifyInstance, parts: Parts, registration: Registration): void {
  const { decorators } = parts.settings
  const sessionOf: SessionOf = (request) => readSession(parts, request)
  app.decorateRequest(SESSION, null)
  app.decorateRequest(ANSWERED, false)
  app.decorateRequest(OPTED_OUT, false)
  for (const [name, decorator] of requestDecorators(decorators, sessionOf)) app.decorateRequest(name, decorator)
  app.decorate(decorators.requireLogin, requireLoginFactory(parts, sessionOf, registration))
  app.decorate(decorators.sessions, sessionsApi(parts))
  // A function, so that an app in a log shows nothing of what is behind it.
  app.decorate(PARTS, () => parts)
}

function keepSwept(app: FastifyInstance, parts: Parts): void {
  const sessions = sessionsApi(parts)
  const sweeper = startSweeper(parts.settings.sweepInterval, () => sessions.sweep())
  app.addHook('onClose', async () => sweeper.stop())
}
