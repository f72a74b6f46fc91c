import { locate, show } from '../read/show-value.ts'
import type { FindingLocation } from '../../../types/index.ts'
import type { AnswerFacts } from '../read/phase-facts.ts'
import type { Rule } from './rule.ts'

function seenAt(path: string, value: string): FindingLocation[] {
  return [{ ...locate([], value), path }]
}

/** The parameters of an identity provider or of a link in a mail. Such a login cannot be the POST of a form. */
const PROOFS = [
  'code',
  'state',
  'ticket',
  'token',
  'samlresponse',
  'otp',
  'nonce',
  'signature',
  'sig',
  'key',
  'hash',
  'jwt',
]

/**
 * The parameters of an identity provider that ends the session everywhere (OpenID Connect Front-Channel Logout 1.0).
 */
const LOGOUT_PROOFS = ['sid', 'iss', 'logout_token', 'state', 'samlrequest', 'samlresponse']

function lacks({ parameters }: AnswerFacts, proofs: readonly string[]): boolean {
  return !parameters.some((parameter) => proofs.includes(parameter.toLowerCase()))
}

export const loginByGet: Rule = {
  slug: 'login-by-get',
  severity: { production: 'warning', development: 'info' },
  phases: ['request'],
  silenceable: true,
  when: 'a GET logged somebody in, and its query carries no proof of an identity provider (`code`, `state`, `ticket`, `token` …)',
  why: "A link or an image on any page can log its visitor in to an attacker's account. A password in a URL lands in logs and histories.",
  remedy: 'a POST',
  references: ['OWASP ASVS 5.0 3.5.3', 'CWE-352', 'CWE-598'],
  teach: `Browsers send GET requests without asking anybody: for images, for previews, ahead of time. Cross-origin protection lets them
pass, because a GET changes nothing. A login changes who the visitor is. Callbacks of OAuth, CAS and SAML and links in mails are GETs by
nature. Their query carries a proof that was made for this browser or this mail.`,
  examples: {
    wrong: { shown: "app.get('/login', (request) => request.login(user))", options: '', answer: { isLogin: true } },
    right: {
      shown: "app.post('/login', (request) => request.login(user))",
      options: '',
      answer: { isLogin: true, isSafeMethod: false },
    },
  },
  onAnswer: (facts) =>
    facts.isLogin && facts.isSafeMethod && lacks(facts, PROOFS)
      ? [
          {
            at: seenAt('route', facts.route),
            message: 'a GET request logged somebody in',
            text: 'Log in by POST, so that no link and no image of another site can do it.',
          },
        ]
      : [],
}

export const logoutByGet: Rule = {
  slug: 'logout-by-get',
  severity: { production: 'warning', development: 'info' },
  phases: ['request'],
  silenceable: true,
  when: 'a GET logged somebody out, and it was no front-channel logout of an identity provider',
  why: 'An image on any page, and every program that follows links ahead of time, logs its visitor out.',
  remedy: 'a POST',
  references: ['OWASP ASVS 5.0 3.5.3', 'CWE-352'],
  teach: `<img src="https://app.example/logout"> in a forum is enough. Link checkers, previews and prefetching do the same by accident. A button in a
form that posts to /logout looks like a link with a few lines of CSS, and cross-origin protection covers it.`,
  examples: {
    wrong: { shown: "app.get('/logout', (request) => request.logout())", options: '', answer: { isLogout: true } },
    right: {
      shown: "app.post('/logout', (request) => request.logout())",
      options: '',
      answer: { isLogout: true, isSafeMethod: false },
    },
  },
  onAnswer: (facts) =>
    facts.isLogout && facts.isSafeMethod && lacks(facts, LOGOUT_PROOFS)
      ? [
          {
            at: seenAt('route', facts.route),
            message: 'a GET request logged somebody out',
            text: 'Log out by POST: a form with one button.',
          },
        ]
      : [],
}

export const csrfCookieInsecure: Rule = {
  slug: 'csrf-cookie-insecure',
  severity: { production: 'warning', development: null },
  phases: ['request'],
  silenceable: true,
  when: 'a cookie named like a CSRF token (`_csrf`, `XSRF-TOKEN`) is set without Secure',
  why: 'Somebody on the network reads the token from a plain http request, or plants one of their own, and the check protects nothing.',
  remedy: '`cookieOpts: { secure: true }` for @fastify/csrf-protection, or its secret in the session',
  references: ['Django security.W016', 'OWASP ASVS 5.0 3.3.1', 'CWE-614'],
  teach: `A token proves that a form came from your page as long as nobody else knows or chooses it. @fastify/csrf-protection keeps its secret in a
cookie without Secure by default. Give it cookieOpts: { secure: true, path: '/' }, or sessionPlugin: '@fastify/session', with which the
secret is in the session.`,
  examples: {
    wrong: { shown: 'app.register(csrf)', options: '', answer: { insecureCookies: ['_csrf'] } },
    right: {
      shown: "app.register(csrf, { sessionPlugin: '@fastify/session' })",
      options: '',
      answer: { insecureCookies: ['theme'] },
    },
  },
  onAnswer: ({ insecureCookies }) => {
    const name = insecureCookies.find((cookie) => /csrf|xsrf/i.test(cookie))
    if (name === undefined) return []
    return [
      {
        at: seenAt(`Set-Cookie ${show(name.slice(0, 60))}`, 'Secure missing'),
        message: 'a CSRF cookie is set without Secure',
        text: "Register @fastify/csrf-protection with cookieOpts: { secure: true, path: '/' }, or with sessionPlugin: '@fastify/session'.",
      },
    ]
  },
}

export const requireLoginOptedOut: Rule = {
  slug: 'requirelogin-opted-out',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['ready'],
  silenceable: true,
  when: 'a route asks for a login with `requireLogin` and has `config: { session: false }`',
  why: 'Such a route has no session to look at: each of its requests fails with SESSION_ROUTE_OPTED_OUT.',
  remedy: 'one of the two',
  references: [],
  teach: `config: { session: false } keeps a route out of all session work: no cookie is read, and req.user is null. requireLogin needs both. The
pair is mostly a copied route, or a guard that was put on everything.`,
  examples: {
    wrong: {
      shown: "app.get('/me', { config: { session: false }, onRequest: app.requireLogin() }, …)",
      options: '',
      neighbours: { guardedWithoutSession: ['GET /me'] },
    },
    right: {
      shown: "app.get('/me', { onRequest: app.requireLogin() }, …)",
      options: '',
      neighbours: { guardedWithoutSession: [] },
    },
  },
  onNeighbours: ({ guardedWithoutSession }) =>
    guardedWithoutSession.length === 0
      ? []
      : [
          {
            at: guardedWithoutSession.slice(0, 8).flatMap((route) => seenAt('route', route)),
            message: 'a route asks for a login and has opted out of sessions',
            text: 'Remove session: false from its config, or requireLogin from its hooks.',
          },
        ],
}

export const cookieHookOff: Rule = {
  slug: 'cookie-hook-off',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['ready'],
  silenceable: false,
  when: '@fastify/cookie is registered by the app with `hook: false`',
  why: 'Without its hook, @fastify/cookie sends no cookie that is set as late as the one of a login: users would never be logged in.',
  remedy: 'register it without `hook`, or leave it to this plugin',
  references: ['@fastify/cookie: options'],
  teach: `@fastify/cookie collects cookies in a map that its hook creates. The session cookie is written in onSend, when the handler is done. Without
the hook the map does not exist yet when @fastify/cookie empties it, and what comes later stays in it.`,
  examples: {
    wrong: { shown: 'app.register(cookie, { hook: false })', options: '', neighbours: { readsCookies: false } },
    right: { shown: 'app.register(cookie)', options: '', neighbours: { readsCookies: true } },
  },
  onNeighbours: ({ readsCookies }) =>
    readsCookies === false
      ? [
          {
            at: seenAt('@fastify/cookie hook', 'false'),
            message: '@fastify/cookie would not send the cookie of a login',
            text: 'Register @fastify/cookie without the option hook, or not at all: this plugin registers it.',
          },
        ]
      : [],
}
