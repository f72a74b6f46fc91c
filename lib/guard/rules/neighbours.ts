import { locate, showDoubtful } from '../read/show-value.ts'
import { goodName, plainName } from '../read/good-name.ts'
import { perhaps, set } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Problem, Rule } from './rule.ts'

export const duplicatePlugin: Rule = {
  slug: 'duplicate-plugin',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'ready'],
  silenceable: false,
  when: '`request.session` is decorated already, or another plugin sets a cookie of the same name',
  why: 'Two session plugins write over each other: which session a request gets depends on the order they ran in.',
  remedy: 'remove one, or rename the cookie',
  references: [],
  teach: `request.session can belong to one plugin only, and a browser keeps one cookie of a name for a host and path. Where two plugins share either,
each reads what the other wrote, takes it for forged, and logs the user out.`,
  examples: {
    wrong: {
      shown: 'app.register(session) of @fastify/session, and app.register(secureSession) beside it',
      options: '',
      context: { sessionDecorated: true },
    },
    right: {
      shown: 'app.register(secureSession), once, at the root',
      options: '',
      context: { sessionDecorated: false },
    },
  },
  onNeighbours: ({ cookieNames }, facts) => takenName(facts, cookieNames),
  onConfig: (facts) => {
    const { sessionDecorated, cookieNames = [] } = facts.context
    return [
      ...(sessionDecorated === true
        ? [
            {
              at: [{ ...locate([], 'decorated already'), path: 'request.session' }],
              message: 'request.session is decorated already: another session plugin was registered before',
              text: 'Remove the other session plugin, or register this one once, at the root.',
            },
          ]
        : []),
      ...takenName(facts, cookieNames),
    ]
  },
}

function takenName(facts: ConfigFacts, taken: readonly string[]): Problem[] {
  const { name } = facts.cookie
  if (name === undefined || !taken.includes(name)) return []
  return [
    {
      at: [facts.at(['cookie', 'name'], name)],
      message: `another plugin sets a cookie named ${showDoubtful(name)} too`,
      text: 'Give one of the two cookies another name. Two registrations of this plugin may share one if they share store and secrets.',
      fixes: [perhaps(set(['cookie', 'name'], goodName(facts, `app-${plainName(name)}`)))],
    },
  ]
}

export const secretReused: Rule = {
  slug: 'secret-reused',
  severity: { production: 'warning', development: 'warning' },
  phases: ['ready'],
  silenceable: true,
  when: 'another plugin that can be seen (@fastify/cookie, @fastify/jwt) signs with the same secret',
  why: 'What one of them signs, the other takes for its own; and one leak gives away both.',
  remedy: 'a secret for each',
  references: ['OWASP ASVS 5.0 13.3.1'],
  teach: `Suppose that @fastify/cookie signs a text of the user's choice with the key that signs session cookies. Then a user can have a
session cookie signed. Give every purpose a secret of its own; npx fastify-session-guard secret makes as many as you like.`,
  examples: {
    wrong: {
      shown: 'app.register(cookie, { secret: process.env.SESSION_SECRET })',
      options: '',
      neighbours: { secretSharedWith: ['@fastify/cookie'] },
    },
    right: {
      shown: 'app.register(cookie, { secret: process.env.COOKIE_SECRET })',
      options: '',
      neighbours: { secretSharedWith: [] },
    },
  },
  onNeighbours: ({ secretSharedWith }, facts) =>
    secretSharedWith.length === 0
      ? []
      : [
          {
            at: [facts.at(['secret'])],
            message: `${secretSharedWith.join(' and ')} signs with the same secret`,
            text: 'Generate another one: npx fastify-session-guard secret.',
          },
        ],
}

export const sudoMissing: Rule = {
  slug: 'sudo-missing',
  severity: { production: 'info', development: null },
  phases: ['ready'],
  silenceable: true,
  when: "`assurance` is `'aal2'` or `'aal3'` and no route uses `requireLogin({ within })`",
  why: 'At these levels users prove who they are again before they change how they log in, or move money.',
  remedy: 'guard the sensitive routes',
  references: ['OWASP ASVS 5.0 7.5.1'],
  teach: `A session left open for an hour is fine for reading, not for changing the password. requireLogin({ within: '10m' }) lets a request
pass only when the login is fresh. req.confirmLogin() renews the login when the user has proved who they are again.`,
  examples: {
    wrong: {
      shown: "assurance: 'aal2', and app.post('/password', { preHandler: app.requireLogin() }, …)",
      options: "assurance: 'aal2'",
    },
    right: {
      shown: "assurance: 'aal2', and app.post('/password', { preHandler: app.requireLogin({ within: '10m' }) }, …)",
      options: "assurance: 'aal2'",
      neighbours: { hasSudoRoute: true },
    },
  },
  onNeighbours: ({ hasSudoRoute }, facts) => {
    const { assurance } = facts.options
    if (hasSudoRoute || (assurance !== 'aal2' && assurance !== 'aal3')) return []
    return [
      {
        at: [facts.at(['assurance'])],
        message: `no route asks for a fresh login, which ${assurance} expects of the sensitive ones`,
        text: "Guard them: { preHandler: app.requireLogin({ within: '10m' }) }.",
      },
    ]
  },
}

export const storeUnreachable: Rule = {
  slug: 'store-unreachable',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['ready'],
  silenceable: true,
  when: 'the store does not answer a probe within `storeTimeout`',
  why: 'Every request with a session cookie would get a 503.',
  remedy: 'start the store, or correct its address',
  references: [],
  teach: `Before the app listens, the store is asked for a record that cannot exist. A wrong address, a changed password or a database that
is not up yet shows here, in the deployment that brought it. Otherwise users would meet the fault.`,
  examples: {
    wrong: {
      shown: 'a store whose server is not up, or whose address is mistyped',
      options: '',
      neighbours: { store: { answers: false, detail: 'ECONNREFUSED' } },
    },
    right: {
      shown: 'a store that answers within storeTimeout',
      options: '',
      neighbours: { store: { answers: true, detail: '' } },
    },
  },
  onNeighbours: ({ store }, facts) =>
    store === null || store.answers
      ? []
      : [
          {
            at: [facts.at(['store'], 'memory')],
            message: `the store does not answer: ${store.detail}`,
            text: store.advice ?? 'Start it, or correct the address and the password that its client was given.',
          },
        ],
}
