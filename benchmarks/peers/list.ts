import type { Peer } from './peer.ts'

/** Everything that is measured, in the order of the table. */
export const PEERS: readonly Peer[] = [
  {
    name: 'fastify',
    title: 'Fastify alone',
    only: ['anonymous'],
    isFloor: true,
    endsSessions: false,
    setsCookieOn: [],
    start: async () => (await import('./fastify.ts')).startFastify(),
  },
  {
    name: 'fastify-cookie',
    title: 'Fastify + @fastify/cookie',
    isFloor: true,
    endsSessions: false,
    setsCookieOn: ['login', 'logout'],
    start: async () => (await import('./fastify.ts')).startFastifyAndCookie(),
  },
  {
    name: 'session-guard',
    title: 'fastify-session-guard',
    endsSessions: true,
    setsCookieOn: ['login', 'logout'],
    start: async () => (await import('./session-guard.ts')).startSessionGuard(),
  },
  {
    name: 'session-guard-bound',
    title: 'fastify-session-guard, bound',
    only: ['bound'],
    endsSessions: true,
    setsCookieOn: ['login', 'logout'],
    start: async () => (await import('./session-guard.ts')).startBoundGuard(),
  },
  {
    name: 'fastify-session',
    title: '@fastify/session as shipped',
    endsSessions: true,
    setsCookieOn: ['anonymous', 'user', 'session', 'write', 'login'],
    start: async () => (await import('./fastify-session.ts')).startFastifySession({}),
  },
  {
    name: 'fastify-session-tuned',
    title: '@fastify/session tuned',
    endsSessions: true,
    setsCookieOn: ['write', 'login'],
    start: async () =>
      (await import('./fastify-session.ts')).startFastifySession({ rolling: false, saveUninitialized: false }),
  },
  {
    name: 'secure-session',
    title: '@fastify/secure-session',
    endsSessions: false,
    setsCookieOn: ['write', 'login', 'logout'],
    start: async () => (await import('./secure-session.ts')).startSecureSession(),
  },
  {
    name: 'express-session',
    title: 'express-session on Express',
    endsSessions: true,
    setsCookieOn: ['login'],
    start: async () => (await import('./express-session.ts')).startExpressSession(),
  },
  {
    name: 'iron-session',
    title: 'iron-session on Fastify',
    endsSessions: false,
    setsCookieOn: ['write', 'login', 'logout'],
    start: async () => (await import('./iron-session.ts')).startIronSession(),
  },
]

/** The plugin of another checkout, which only `--before` measures. */
export const BEFORE: Peer = {
  name: 'before',
  title: 'fastify-session-guard before',
  endsSessions: true,
  setsCookieOn: ['login', 'logout'],
  start: async () => (await import('./session-guard.ts')).startBefore(),
}
