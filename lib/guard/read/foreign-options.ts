/** An option of another session library, and what does its work here. */
export interface ForeignOption {
  /** The library that has the option. */
  readonly of: string
  /** The replacement in this plugin, in a sentence. */
  readonly instead: string
  /** The option here that comes nearest. */
  readonly suggestion?: string
}

const LIFETIME: Omit<ForeignOption, 'of'> = {
  instead: 'Lifetimes are kept by the server: idleTimeout and absoluteTimeout, rememberTimeout for a remembered login.',
  suggestion: 'absoluteTimeout',
}

const COOKIE_NAME: Omit<ForeignOption, 'of'> = {
  instead: 'The cookie is named by cookie.name.',
  suggestion: 'cookie.name',
}

const SECRET: Omit<ForeignOption, 'of'> = {
  instead: 'The key that signs the cookie is the option secret; a list of them rotates keys.',
  suggestion: 'secret',
}

const ALWAYS: Omit<ForeignOption, 'of'> = {
  instead: 'Leave it out: only a session that changed is written, and an empty one never is.',
}

const COOKIE: Omit<ForeignOption, 'of'> = {
  instead: 'Attributes of the cookie are given in cookie.',
  suggestion: 'cookie',
}

/** Options of express-session, @fastify/session, @fastify/secure-session, iron-session and their relatives. */
export const FOREIGN: Readonly<Record<string, ForeignOption>> = Object.freeze({
  resave: { of: 'express-session', ...ALWAYS },
  saveUninitialized: { of: 'express-session and @fastify/session', ...ALWAYS },
  rolling: {
    of: 'express-session and @fastify/session',
    instead:
      'Leave it out: each use moves the idle deadline on the server, no cookie is sent again. idleTimeout sets it.',
    suggestion: 'idleTimeout',
  },
  genid: {
    of: 'express-session',
    instead: 'Leave it out: the plugin makes session ids itself, of 32 random bytes and a signature.',
  },
  idGenerator: {
    of: '@fastify/session',
    instead: 'Leave it out: the plugin makes session ids itself, of 32 random bytes and a signature.',
  },
  generateId: {
    of: 'other session libraries',
    instead: 'Leave it out: the plugin makes session ids itself, of 32 random bytes and a signature.',
  },
  unset: { of: 'express-session', instead: 'Leave it out: await req.logout() ends a session.' },
  proxy: {
    of: 'express-session',
    instead: "Say tls: 'proxy' here, and give Fastify itself trustProxy with the proxy's addresses.",
    suggestion: 'tls',
  },
  cookieName: { of: '@fastify/session, @fastify/secure-session and iron-session', ...COOKIE_NAME },
  sessionName: {
    of: '@fastify/secure-session',
    instead: 'Leave it out: the session is always request.session; cookie.name names the cookie.',
    suggestion: 'cookie.name',
  },
  cookiePrefix: { of: '@fastify/session', ...COOKIE_NAME },
  cookieOptions: { of: 'iron-session', ...COOKIE },
  cookies: { of: 'other session libraries', ...COOKIE },
  algorithm: { of: '@fastify/session', instead: 'Leave it out: the cookie is signed with HMAC-SHA-256.' },
  signer: { of: '@fastify/session', ...SECRET },
  key: { of: '@fastify/secure-session, express-session and koa-session', ...SECRET },
  keys: { of: 'cookie-session', ...SECRET },
  password: { of: 'iron-session', ...SECRET },
  secrets: { of: 'other session libraries', ...SECRET },
  salt: {
    of: '@fastify/secure-session',
    instead: 'Leave it out: nothing is derived from a password here; secret takes 32 random bytes.',
    suggestion: 'secret',
  },
  sessionSecret: { of: 'other session libraries', ...SECRET },
  expiry: { of: '@fastify/secure-session', ...LIFETIME },
  ttl: { of: 'iron-session and connect-redis', ...LIFETIME },
  maxAge: { of: 'express-session, @fastify/session and cookie-session', ...LIFETIME },
  expires: { of: 'express-session and @fastify/session', ...LIFETIME },
  originalMaxAge: { of: 'express-session and @fastify/session', ...LIFETIME },
  duration: { of: 'client-sessions', ...LIFETIME },
  activeDuration: { of: 'client-sessions', ...LIFETIME },
  renew: {
    of: 'koa-session',
    instead: 'Leave it out: each use moves the idle deadline, and renewalTimeout replaces the id by age.',
    suggestion: 'renewalTimeout',
  },
  overwrite: { of: 'koa-session and cookie-session', instead: 'Leave it out: the cookie is always written once.' },
  signed: { of: 'express-session and @fastify/cookie', instead: 'Leave it out: the cookie is always signed.' },
  encode: { of: 'express-session', instead: 'Leave it out: the value is base64url and needs no encoding.' },
  decode: { of: 'the cookie package', instead: 'Leave it out: the value is base64url and needs no decoding.' },
  ephemeral: {
    of: 'client-sessions',
    instead: 'Leave it out: the cookie ends with the browser unless req.login(user, { remember: true }).',
  },
  client: {
    of: 'connect-redis',
    instead: 'A client belongs to a store: store: redisStore({ client }).',
    suggestion: 'store',
  },
  prefix: { of: 'connect-redis', instead: 'A key prefix belongs to the store; the cookie is named by cookie.name.' },
})
