import { locate } from '../read/show-value.ts'
import { ONE_MACHINE, perhaps, putStore, replaceStore, SHARED } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Rule } from './rule.ts'

const FIRST_PARTY = `store: ${ONE_MACHINE}`

/** A store that lacks core methods is judged for that alone. */
export function isUsable({ store }: ConfigFacts): boolean {
  return store.kind !== 'faulty' && store.missing.length === 0
}

export const memoryStore: Rule = {
  slug: 'memory-store',
  severity: { production: 'fatal', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'sessions are kept in memory, in production',
  why: 'Every restart, every deployment and every crash logs everybody out, and no second process knows the sessions of the first.',
  remedy: 'a store in sqlite, redis or postgres',
  references: ['expressjs/session#556'],
  teach: `The memory store is for development and tests. This store is bounded, so it will not fill the machine. Under load it drops the
sessions that were used least recently. It forgets everything when the process ends. A revoked session is revoked in one process only.`,
  examples: {
    wrong: { options: '', without: ['store'] },
    right: { options: FIRST_PARTY },
  },
  onConfig: (facts) => {
    if (!isUsable(facts) || !facts.store.isVolatile) return []
    return [
      {
        at: [facts.at(['store'], facts.store.kind === 'default' ? 'memory' : undefined)],
        message: 'sessions would be kept in the memory of this process',
        text: 'Use a store in sqlite (one host), redis or postgres (several).',
        fixes: [perhaps(putStore(manyProcesses(facts) === undefined ? ONE_MACHINE : SHARED))],
      },
    ]
  },
}

/** Returns the sign of more than one process; `undefined` without a sign. */
function manyProcesses(facts: ConfigFacts): { path: string; value: string; isHint?: true } | undefined {
  const { variables } = facts.environment
  const count = (name: string): number => Number(variables[name] ?? 0)
  if (facts.context.clusterWorker === true) return { path: 'cluster.isWorker', value: 'true' }
  const isPm2 = variables['pm_id'] !== undefined || variables['exec_mode'] !== undefined
  if (isPm2 && (variables['instances'] === 'max' || count('instances') > 1)) {
    return { path: 'instances', value: variables['instances'] === 'max' ? '"max"' : String(count('instances')) }
  }
  // The first instance is 0, and may be the only one.
  if (count('NODE_APP_INSTANCE') > 0) return { path: 'NODE_APP_INSTANCE', value: String(count('NODE_APP_INSTANCE')) }
  // Platforms set it by the size of the machine, also for an app that starts one process.
  if (count('WEB_CONCURRENCY') > 1) {
    return { path: 'WEB_CONCURRENCY', value: String(count('WEB_CONCURRENCY')), isHint: true }
  }
  return undefined
}

export const memoryStoreCluster: Rule = {
  slug: 'memory-store-cluster',
  severity: { production: 'fatal', development: 'warning' },
  severityNote: 'a warning where only WEB_CONCURRENCY says so',
  phases: ['register'],
  silenceable: true,
  when: 'sessions are kept in memory and there are several processes: a cluster worker, or pm2 instances. `WEB_CONCURRENCY` over 1 is a hint, and this finding can be silenced',
  why: 'Each process keeps sessions of its own. Whether a user is logged in depends on which process answers. A logout in one process leaves the others.',
  remedy: 'a shared store',
  references: ['expressjs/session#556'],
  teach: `Requests of one user land on any of the processes. With a store in memory, a session exists in only one of these processes. The
user is logged out and in again at random. A revocation in one process does not reach the others. Only a store that all share can end a
session.`,
  examples: {
    wrong: { options: '', without: ['store'], environment: { NODE_ENV: 'development', WEB_CONCURRENCY: '4' } },
    right: { options: FIRST_PARTY, environment: { NODE_ENV: 'development', WEB_CONCURRENCY: '4' } },
  },
  onConfig: (facts) => {
    const sign = manyProcesses(facts)
    if (!isUsable(facts) || !facts.store.isVolatile || sign === undefined) return []
    return [
      {
        at: [
          facts.at(['store'], facts.store.kind === 'default' ? 'memory' : undefined),
          { ...locate([], sign.value), path: sign.path },
        ],
        message: 'several processes, and each would keep sessions of its own in memory',
        text: 'Use a store that all processes share.',
        fixes: [perhaps(putStore(SHARED))],
        ...(sign.isHint === true ? { severity: 'warning' } : { silenceable: false }),
      },
    ]
  },
}

function storeAdvice({ store: { mistaken }, isGiven }: ConfigFacts): string {
  if (mistaken === undefined) return 'Implement them, or take a store of this package.'
  return mistaken.isIndexed || !isGiven('maxSessions')
    ? `Write: store: ${mistaken.source}.`
    : `Write: store: ${mistaken.source}, and leave maxSessions out: such a store has no user index. Or take a store of this package.`
}

export const storeIncomplete: Rule = {
  slug: 'store-incomplete',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: false,
  when: 'a core method is missing: `get`, `create`, `update`, `touch`, `delete`',
  why: 'The first request that needs the method would fail, or bring back a session that has ended.',
  remedy: 'implement what is missing, or adapt an express-session store with `expressStore(store)`',
  references: [],
  teach: `A store has five methods. create and update are apart, and update compares the version, so that a request in flight during a logout
cannot bring the session back. Stores for express-session have get, set and destroy instead: wrap one in expressStore(store), and the
guard says which promises it cannot keep.`,
  examples: {
    wrong: { options: 'store: { get() {}, set() {}, destroy() {} }' },
    right: { options: FIRST_PARTY },
  },
  onConfig: (facts) => {
    const { kind, missing, mistaken } = facts.store
    if (kind === 'faulty' || missing.length === 0) return []
    return [
      {
        at: [facts.at(['store'])],
        message:
          mistaken === undefined
            ? `the store lacks ${missing.map((method) => `${method}()`).join(', ')}`
            : `this is ${mistaken.what}`,
        text: storeAdvice(facts),
        fixes: [...(mistaken === undefined ? [] : [perhaps(replaceStore(mistaken))]), perhaps(putStore(ONE_MACHINE))],
      },
    ]
  },
}

export const storeWeaker: Rule = {
  slug: 'store-weaker',
  severity: { production: 'warning', development: 'info' },
  phases: ['register'],
  silenceable: true,
  when: 'the store says that it keeps fewer promises: an adapted express-session store has no compare-and-set, no user index, no sweep',
  why: 'Two requests at once can undo each other there, and some powers are missing.',
  remedy: 'a store of this package, or silence it with the reason',
  references: [],
  teach: `The interface of express-session has no way to write only if nobody else has written. So a request that was in flight during a
logout can write the session back, if both fall into the same instant. An adapted store cannot find the sessions of a user either. Use such
a store for the move to this plugin, and not for longer.`,
  examples: {
    wrong: { options: "store: { ...store, weaker: ['no compare-and-set'] }" },
    right: { options: FIRST_PARTY },
  },
  intentions: [
    { wish: 'One machine', code: "store: sqliteStore({ database: new Database('sessions.db') })" },
    { wish: 'Several processes or machines', code: 'store: redisStore({ client })' },
  ],
  exception: 'While you move from express-session to a store of this package: silence this with a date in expires.',
  onConfig: (facts) => {
    const { weaker } = facts.store
    if (!isUsable(facts) || weaker.length === 0) return []
    return [
      {
        at: [facts.at(['store'])],
        message: `the store keeps fewer promises: ${weaker.join('; ')}`,
        text: 'Move to a store of this package when you can; until then silence this with the reason.',
        fixes: [perhaps(putStore(ONE_MACHINE))],
      },
    ]
  },
}

export const storePlaintext: Rule = {
  slug: 'store-plaintext',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'the store shows that records travel unencrypted (`redis://`, postgres without TLS) to a host that is neither loopback nor a unix socket',
  why: 'Whoever is on that network reads the data of every session, and can write records of their own.',
  remedy: 'connect with TLS',
  references: ['OWASP ASVS 5.0 12.3.1'],
  teach: `Ids are stored as hashes, so a listener cannot log in with what passes by. But session data passes by too, and Redis takes orders from
whoever is let in: a record that says "user 1" is a login. Networks inside a data centre are shared more often than it seems.`,
  examples: {
    wrong: { options: "store: { ...store, connections: [{ host: 'redis.internal', encrypted: false }] }" },
    right: { options: "store: { ...store, connections: [{ host: '127.0.0.1', encrypted: false }] }" },
  },
  intentions: [
    { wish: 'Redis', code: "createClient({ url: 'rediss://redis.internal:6379' })", isOptions: false },
    {
      wish: 'PostgreSQL',
      code: "new Pool({ host: 'db.internal', ssl: { ca: readFileSync('ca.pem', 'utf8') } })",
      isOptions: false,
    },
    {
      wish: 'A proxy that encrypts, on this machine',
      code: "store: { ...store, connections: [{ host: '127.0.0.1', encrypted: false }] }",
    },
  ],
  exception:
    'A network of its own between the two machines, with nobody else on it (a VPN, a service mesh with mTLS), is encryption too. Silence this with that reason.',
  onConfig: (facts) => {
    const { plaintextHosts } = facts.store
    if (!isUsable(facts) || plaintextHosts.length === 0) return []
    return [
      {
        at: [{ ...facts.at(['store']), value: plaintextHosts.map((host) => JSON.stringify(host)).join(', ') }],
        message: 'sessions travel to the store unencrypted',
        text: 'Connect the client with TLS: a rediss:// address for redis, ssl for postgres.',
      },
    ]
  },
}
