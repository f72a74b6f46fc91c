import { tmpdir } from 'node:os'
import { parseDuration } from '../../session/duration.ts'
import { platformOf } from '../read/environment.ts'
import { locate } from '../read/show-value.ts'
import { safely, set } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Rule } from './rule.ts'

export const sweepUnset: Rule = {
  slug: 'sweep-unset',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: '`sweepInterval` is off, and the store keeps expired records until somebody sweeps: SQLite, PostgreSQL',
  why: 'Expired sessions stay in the database for ever, with the data of the users, and the table grows until the disk is full.',
  remedy: "`sweepInterval: '1h'`, or the command `sweep` in a timer and a silence",
  references: ['Django clearsessions', 'OWASP ASVS 5.0 14.2.7'],
  teach: `An expired record is absent for the app as soon as it has expired. It is not gone from the disk: Redis removes it by itself, SQLite and
PostgreSQL do not. Each anonymous visitor with a session leaves a row. Let the plugin sweep, or run npx fastify-session-guard sweep
from a timer, and silence this finding with that reason.`,
  examples: {
    wrong: { options: 'store: { ...store, async sweep() { return 0 } }' },
    right: { options: "store: { ...store, async sweep() { return 0 } }, sweepInterval: '1h'" },
  },
  onConfig: (facts) => {
    const { sweepInterval } = facts.options
    const isOn = sweepInterval !== undefined && (parseDuration(sweepInterval) ?? 0) > 0
    if (isOn || facts.isFaulty('sweepInterval') || !facts.store.needsSweep) return []
    return [
      {
        at: [facts.at(['sweepInterval'], '0s')],
        message: 'nothing removes expired sessions from the store',
        text: 'Set sweepInterval, or run npx fastify-session-guard sweep from a timer and silence this with that reason.',
        fixes: [safely(set(['sweepInterval'], '1h'))],
      },
    ]
  },
}

/** Folders that a restart empties, wherever the app runs. */
const TEMPORARY = /^(\/tmp|\/var\/tmp|\/dev\/shm|\/run)\//

/** Tells whether a file is in a folder of temporary files. The path has slashes, also on Windows. */
export function isTemporary(path: string): boolean {
  return TEMPORARY.test(path) || path.startsWith(`${tmpdir()}/`)
}

function whyGone({ environment, store }: ConfigFacts): string | undefined {
  if (store.location === null) return undefined
  const path = store.location.replaceAll('\\', '/')
  if (isTemporary(path)) return 'the folder of temporary files'
  const platform = platformOf(environment)
  return platform?.keepsNoFiles === true ? `${platform.variable} names a platform that keeps no files` : undefined
}

export const storeEphemeral: Rule = {
  slug: 'store-ephemeral',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'the file of the store is in a folder for temporary files, or on a platform that keeps no files (`DYNO`, `K_SERVICE`, `AWS_LAMBDA_FUNCTION_NAME` …)',
  why: 'Each deployment and each restart empties the file: everybody is logged out, and a second instance has a file of its own.',
  remedy: 'a folder that outlives the process, or a store on a server',
  references: ['The Twelve-Factor App: processes'],
  teach: `SQLite is as durable as the disk below it. Containers and functions start with a fresh disk each time, and /tmp is emptied by the system.
Mount a volume and put the file there, or keep sessions in Redis or PostgreSQL.`,
  examples: {
    wrong: { options: "store: { ...store, location: '/tmp/sessions.db' }" },
    right: { options: "store: { ...store, location: '/var/lib/shop/sessions.db' }" },
  },
  onConfig: (facts) => {
    const reason = whyGone(facts)
    if (reason === undefined) return []
    return [
      {
        at: [{ ...facts.at(['store']), value: 'a file that does not last' }],
        message: `sessions are in a file that does not outlive the process: ${reason}`,
        text: 'Put the file on a volume that lasts, or keep sessions in redis or postgres.',
      },
    ]
  },
}

export const storeTlsUnverified: Rule = {
  slug: 'store-tls-unverified',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'the connection to the store is encrypted, and its certificate is not checked: `rejectUnauthorized: false`, `sslmode=no-verify`, `NODE_TLS_REJECT_UNAUTHORIZED=0`',
  why: 'Whoever can answer in the place of the store reads and writes every session; encryption to a stranger protects nothing.',
  remedy: 'check the certificate, with the `ca` of the store where it is your own',
  references: ['OWASP ASVS 5.0 12.3.2', 'CWE-295'],
  teach: `rejectUnauthorized: false is the first answer to "self-signed certificate" that a search finds. It makes the error go away and leaves the
connection open to anybody on the way. Give the client the certificate of your authority instead: tls: { ca }.`,
  examples: {
    wrong: {
      options: "store: { ...store, connections: [{ host: 'redis.internal', encrypted: true, verified: false }] }",
    },
    right: {
      options: "store: { ...store, connections: [{ host: 'redis.internal', encrypted: true, verified: true }] }",
    },
  },
  onConfig: (facts) => {
    const { unverifiedHosts } = facts.store
    const isOff = facts.environment.variables['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    if (unverifiedHosts.length === 0 && !isOff) return []
    const hosts = unverifiedHosts.map((host) => JSON.stringify(host)).join(', ')
    return [
      {
        at: isOff
          ? [{ ...locate([], '"0"'), path: 'NODE_TLS_REJECT_UNAUTHORIZED' }]
          : [{ ...facts.at(['store']), value: hosts }],
        message: 'the certificate of the store is not checked',
        text: isOff
          ? 'Remove NODE_TLS_REJECT_UNAUTHORIZED, which switches the check off for every connection of the process.'
          : 'Remove rejectUnauthorized: false, and give the client the certificate of the authority: ca.',
      },
    ]
  },
}

export const redisEvicts: Rule = {
  slug: 'redis-evicts',
  severity: { production: 'warning', development: null },
  phases: ['ready'],
  silenceable: true,
  when: 'the server of the store has a memory limit and drops records before they expire: `maxmemory-policy` is not `noeviction`',
  why: 'Under load users are logged out at random, and entries of the user index go too: a revocation then misses sessions.',
  remedy: '`maxmemory-policy noeviction`, and a server for sessions alone',
  references: ['Redis: key eviction'],
  teach: `A cache may forget, a session store may not. With allkeys-lru or volatile-lru a full server drops what was not used for the longest time: a session, or
the list of a user's sessions. Give sessions a server or a database of their own with noeviction, and watch its memory.`,
  examples: {
    wrong: { shown: 'maxmemory-policy allkeys-lru', options: '', neighbours: { evictionPolicy: 'allkeys-lru' } },
    right: { shown: 'maxmemory-policy noeviction', options: '', neighbours: { evictionPolicy: null } },
  },
  onNeighbours: ({ evictionPolicy }) =>
    evictionPolicy === null
      ? []
      : [
          {
            at: [{ ...locate([], JSON.stringify(evictionPolicy)), path: 'maxmemory-policy' }],
            message: 'the store drops sessions that have not expired when its memory is full',
            text: 'Set maxmemory-policy noeviction on the server, and give sessions a server of their own.',
          },
        ],
}

/** Beyond this, sessions end early or late by an amount that users notice. */
const MAX_HARMLESS_SKEW = 5000

export const clockSkew: Rule = {
  slug: 'clock-skew',
  severity: { production: 'warning', development: null },
  phases: ['ready'],
  silenceable: true,
  when: "the clock of the store's server differs from this machine's by more than 5 seconds",
  why: 'Deadlines are set by one clock and judged by the other: sessions end too early, or stay after they have expired.',
  remedy: 'NTP on both machines',
  references: [],
  teach: `The plugin counts deadlines by the clock of its process; a store removes records by its own. With several processes each of them has its
clock. A minute of difference is a minute that a session lives too long, or the login that is gone at once.`,
  examples: {
    wrong: {
      shown: 'a database server whose clock is 40 seconds ahead',
      options: '',
      neighbours: { clockSkew: 40_000 },
    },
    right: { shown: 'both machines set by NTP', options: '', neighbours: { clockSkew: 20 } },
  },
  onNeighbours: ({ clockSkew: skew }) =>
    skew === null || Math.abs(skew) <= MAX_HARMLESS_SKEW
      ? []
      : [
          {
            at: [{ ...locate([], `${Math.round(skew / 1000)} s`), path: 'clock of the store' }],
            message: `the clock of the store is ${Math.abs(Math.round(skew / 1000))} seconds ${skew > 0 ? 'ahead of' : 'behind'} this machine's`,
            text: 'Set both machines by NTP.',
          },
        ],
}

export const trustProxyAll: Rule = {
  slug: 'trust-proxy-all',
  severity: { production: 'info', development: null },
  phases: ['ready'],
  silenceable: true,
  when: "Fastify's `trustProxy` is `true`, or a function that trusts strangers",
  why: 'Whoever reaches the app past the proxy can claim https, any host and any address: Secure cookies, origin checks and device lists believe it.',
  remedy: "`trustProxy: ['10.0.0.0/8']`, with the proxy's addresses",
  references: ['OWASP ASVS 5.0 4.1.3', 'CWE-348'],
  teach: `trustProxy: true takes X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For from anybody. Where only the platform's router can reach
the process that is fine, and worth a silence with this reason. Where the port is open, a client writes these headers itself.`,
  examples: {
    wrong: { shown: 'Fastify({ trustProxy: true })', options: '', neighbours: { trustsEveryProxy: true } },
    right: { shown: "Fastify({ trustProxy: ['10.0.0.0/8'] })", options: '', neighbours: { trustsEveryProxy: false } },
  },
  onNeighbours: ({ trustsEveryProxy }) =>
    trustsEveryProxy
      ? [
          {
            at: [{ ...locate([], 'trusts everybody'), path: 'trustProxy' }],
            message: 'Fastify believes the forwarding headers of every client',
            text: "Name the addresses of your proxy: Fastify({ trustProxy: ['10.0.0.0/8'] }).",
          },
        ]
      : [],
}
