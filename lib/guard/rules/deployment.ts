import { locate } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'

/** One problem about cookies by their names, which are public. */
function aboutCookies(names: readonly string[], value: string, message: string, text: string): Problem[] {
  if (names.length === 0) return []
  return [
    {
      at: names.slice(0, 8).map((name) => ({ ...locate([], value), path: `Set-Cookie ${name}` })),
      message,
      text,
    },
  ]
}

export const httpsRedirectMissing: Rule = {
  slug: 'https-redirect-missing',
  severity: { production: 'warning', development: null },
  phases: ['scan'],
  silenceable: true,
  when: 'a deployment with https answers plain http with a page instead of a redirect',
  why: 'Whoever comes by an old link or types the name stays on http, where others read along and write in.',
  remedy: 'redirect every http request to https',
  references: ['OWASP ASVS 5.0 12.2.1', 'MDN HTTP Observatory: redirection', 'Django security.W008'],
  teach: `Https beside http protects nobody who comes in by the wrong door. The http port answers with a redirect to the same address over https,
and with nothing else.`,
  examples: {
    wrong: {
      shown: 'http://app.example.com/ shows a page',
      options: '',
      scan: { plainHttp: 'serves', sendsHsts: true },
    },
    right: {
      shown: 'http://app.example.com/ leads to https://app.example.com/',
      options: '',
      scan: { plainHttp: 'redirects', sendsHsts: true },
    },
  },
  onScan: ({ plainHttp, sendsHsts }) =>
    plainHttp === 'serves' && sendsHsts !== null
      ? [
          {
            at: [{ ...locate([], 'a page'), path: 'http' }],
            message: 'plain http answers with a page instead of a redirect to https',
            text: 'Redirect every http request to the same address over https.',
          },
        ]
      : [],
}

export const cookieOverHttp: Rule = {
  slug: 'cookie-over-http',
  severity: { production: 'fatal', development: null },
  phases: ['scan'],
  silenceable: true,
  when: 'a response over plain http sets a session cookie, on a host that is not loopback',
  why: 'Everybody on the way reads the session id, or replaces it with one of their own.',
  remedy: 'set session cookies over https only, with Secure',
  references: ['OWASP ASVS 5.0 3.3.1'],
  teach: `A session id that crossed the network in the clear is known to whoever listened. Worse, somebody on the way can set one of their own and
wait for the user to log in with it. With Secure and __Host- in the name, browsers take no such cookie from http.`,
  examples: {
    wrong: {
      shown: 'Set-Cookie: sid=… in an answer to http://app.example.com/',
      options: '',
      scan: { cookiesOverHttp: ['connect.sid'] },
    },
    right: {
      shown: 'Set-Cookie: __Host-sid=…; Secure; … in answers over https only',
      options: '',
      scan: { cookiesOverHttp: [] },
    },
  },
  onScan: ({ cookiesOverHttp, isLoopback }) =>
    isLoopback
      ? []
      : aboutCookies(
          cookiesOverHttp,
          'over http',
          'a session cookie is set over plain http',
          'Redirect to https before any session begins.',
        ),
}

export const sameSiteMissing: Rule = {
  slug: 'samesite-missing',
  severity: { production: 'warning', development: 'warning' },
  phases: ['scan'],
  silenceable: true,
  when: 'a session cookie without a SameSite attribute',
  why: 'The browser decides what happens then. Chromium assumes Lax, except for POSTs in the first two minutes. Firefox and Safari send the cookie with every request.',
  remedy: '`SameSite=Lax`',
  references: ['RFC 6265bis 5.6.7', 'OWASP ASVS 5.0 3.3.2'],
  teach: `Without the attribute one half of the browsers protects your forms from other sites, and the other half does not. Say Lax, or Strict.`,
  examples: {
    wrong: {
      shown: 'Set-Cookie: sid=…; Path=/; Secure; HttpOnly',
      options: '',
      scan: { cookiesWithoutSameSite: ['connect.sid'] },
    },
    right: {
      shown: 'Set-Cookie: sid=…; Path=/; Secure; HttpOnly; SameSite=Lax',
      options: '',
      scan: { cookiesWithoutSameSite: [] },
    },
  },
  onScan: ({ cookiesWithoutSameSite }) =>
    aboutCookies(
      cookiesWithoutSameSite,
      'SameSite missing',
      'a session cookie has no SameSite attribute',
      'Set SameSite=Lax.',
    ),
}

export const loginKeepsId: Rule = {
  slug: 'login-keeps-id',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['scan'],
  silenceable: true,
  when: 'the session id is the same before and after a login',
  why: 'Session fixation: whoever knew the id before, because they planted it, is logged in too.',
  remedy: 'a new session id at every login: `req.login(user)` does it',
  references: ['OWASP ASVS 5.0 7.2.4', 'CWE-384'],
  teach: `An attacker fetches a session id of their own, gets it into the victim's browser (a link, a subdomain, plain http), and waits. If the
login changes the rights of the session but not its id, the attacker's copy of the id is now the victim's session.`,
  examples: {
    wrong: { shown: 'req.session.userId = user.id', options: '', scan: { keptThroughLogin: ['sid'] } },
    right: { shown: 'await req.login(user)', options: '', scan: { keptThroughLogin: [] } },
  },
  onScan: ({ keptThroughLogin }) =>
    aboutCookies(
      keptThroughLogin,
      'unchanged',
      'the session id is not changed by a login',
      'Make a new id at every login; await req.login(user) does.',
    ),
}

export const logoutKeepsSession: Rule = {
  slug: 'logout-keeps-session',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['scan'],
  silenceable: true,
  when: 'the session id still works after a logout',
  why: 'Clearing the cookie ends nothing: a copy of it stays logged in.',
  remedy: 'end the session on the server: `req.logout()` does it',
  references: ['OWASP ASVS 5.0 7.4.1', 'CWE-613'],
  teach: `A logout that only tells the browser to forget leaves the session alive for whoever has the id. The id may come from a log, a
shared computer or a copied cookie. The record has to go on the server, at once.`,
  examples: {
    wrong: { shown: "reply.clearCookie('sid')", options: '', scan: { survivesLogout: true } },
    right: { shown: 'await req.logout()', options: '', scan: { survivesLogout: false } },
  },
  exception:
    'A session that lives in its cookie alone (iron-session, cookie-session, JWT) cannot be ended on the server. Keep a list of ended sessions, or short lifetimes.',
  onScan: ({ survivesLogout, selfContained: [name] }) =>
    survivesLogout === true
      ? [
          {
            at: [{ ...locate([], 'still logged in'), path: 'session after logout' }],
            ...(name === undefined
              ? {
                  message: 'a copy of the cookie still works after a logout',
                  text: 'End the session on the server; await req.logout() does.',
                }
              : {
                  message: `a copy of the cookie still works after a logout: the session stands in the cookie ${name} itself`,
                  text: 'Keep the session on a server, or a list of ended sessions that every request is compared with.',
                }),
          },
        ]
      : [],
}
