import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { good, judge, SECRET, STORE } from './configs.ts'

t.test('lifetimes stand in order', async (t) => {
  const inverted: object[] = [
    { idleTimeout: '2h', absoluteTimeout: '1h' },
    { idleTimeout: '13h' },
    { renewalTimeout: '45m' },
    { idleTimeout: '5m', renewalTimeout: '10m' },
    { rememberTimeout: '1h' },
    { absoluteTimeout: '20d', rememberTimeout: '14d' },
  ]
  for (const options of inverted) {
    for (const environment of ['production', 'development']) {
      t.strictSame(judge(good(options), environment), ['fatal timeouts-inverted'], JSON.stringify(options))
    }
  }
})

t.test('a default gives way to the one lifetime that was chosen', async (t) => {
  const chosen = [
    { absoluteTimeout: '10m' },
    { idleTimeout: '1m' },
    { absoluteTimeout: '20d' },
    { rememberTimeout: '90d' },
  ]
  for (const options of chosen) t.strictSame(judge(good(options)), [], JSON.stringify(options))
})

t.test('lifetimes are judged by the assurance level that is claimed', async (t) => {
  const cases: [object, ...string[]][] = [
    [{ assurance: 'aal1' }],
    [{ assurance: 'aal2' }],
    [{ assurance: 'aal3' }],
    [{ idleTimeout: '24h', absoluteTimeout: '24h' }],
    [{ idleTimeout: '25h', absoluteTimeout: '48h' }, 'warning idle-too-long'],
    [{ assurance: 'aal2', idleTimeout: '2h' }, 'warning idle-too-long'],
    [{ assurance: 'aal3', idleTimeout: '16m' }, 'warning idle-too-long'],
    [{ absoluteTimeout: '30d' }],
    [{ absoluteTimeout: '31d' }, 'warning absolute-too-long'],
    [{ assurance: 'aal1', absoluteTimeout: '31d' }, 'warning absolute-too-long'],
    [{ assurance: 'aal2', absoluteTimeout: '25h' }, 'warning absolute-too-long'],
    [{ assurance: 'aal3', absoluteTimeout: '13h' }, 'fatal absolute-too-long'],
    [{ assurance: 'aal2', rememberTimeout: '30d' }, 'warning absolute-too-long'],
    [{ assurance: 'aal2', rememberTimeout: '500d' }, 'warning remember-too-long'],
    [{ rememberTimeout: '401d' }, 'warning remember-too-long'],
    [{ renewalTimeout: '0s' }, 'warning renewal-off'],
    [{ assurance: 'AAL3', absoluteTimeout: '90d' }, 'fatal option-type'],
  ]
  for (const [options, ...findings] of cases) t.strictSame(judge(good(options)), findings, JSON.stringify(options))
  t.strictSame(judge(good({ idleTimeout: '25h', absoluteTimeout: '90d' }), 'development'), [])
  t.strictSame(judge(good({ assurance: 'aal3', absoluteTimeout: '13h' }), 'development'), ['warning absolute-too-long'])
  t.strictSame(judge(good({ rememberTimeout: '401d' }), 'development'), ['warning remember-too-long'])
})

t.test('a secret that is not there is missing, alone or in a list', async (t) => {
  for (const secret of [undefined, null, '', '   ', [], [''], [SECRET, ''], [SECRET, undefined], [null, SECRET]]) {
    t.strictSame(judge(good({ secret })), ['fatal secret-missing'], JSON.stringify(secret))
    t.strictSame(judge(good({ secret }), 'development'), ['warning secret-missing'], JSON.stringify(secret))
  }
})

t.test('a generated secret is good, however it is written', async (t) => {
  for (const encoding of ['base64url', 'base64', 'hex'] as const) {
    for (let round = 0; round < 200; round += 1) {
      const secret = randomBytes(32).toString(encoding)
      t.strictSame(judge(good({ secret })), [], `${encoding} ${secret}`)
    }
  }
})

t.test('a short secret is short, in bytes', async (t) => {
  for (const secret of ['Xk3vQ9zLp2Rw7TnB', 'Xk3vQ9zLp2Rw7TnBYc6mHs8DfGj4Kq', [SECRET, 'Xk3vQ9zLp2Rw7TnB']]) {
    t.strictSame(judge(good({ secret })), ['fatal secret-short'])
    t.strictSame(judge(good({ secret }), 'test'), ['warning secret-short'])
  }
  t.strictSame(judge(good({ secret: 'Xk3vQ9zLp2Rw7TnBYc6mHs8DfGjéé' })), ['fatal secret-short'], '31 bytes')
})

t.test('a long secret can be easy to guess', async (t) => {
  const easy = ['x'.repeat(64), 'xq'.repeat(32), 'zjq7wvk'.repeat(8), 'h7Gx2mQz'.repeat(8), '8f3k'.repeat(20)]
  for (const secret of easy) t.strictSame(judge(good({ secret })), ['fatal secret-low-entropy'], secret)
})

t.test('a placeholder is a placeholder, however long', async (t) => {
  const placeholders = [
    'changeme',
    'secret',
    'keyboard cat',
    'your-secret-key',
    'your-super-secret-key-change-in-production',
    'django-insecure-4k!x9@v2#m8$q7%w1&z6*c3(b5)n0_j+',
    'a secret with minimum length of 32 characters',
    'a secret with minimum length of 32 characters must be at least 32',
    'cNaoPYAwF60HZJzkcNaoPYAwF60HZJzk',
    'averylogphrasebiggerthanthirtytwochars',
    'complex_password_at_least_32_characters_long',
    'mq9hDxBVDbspDR6n',
    'supersecretpasswordthatisverylong1234',
    'my-session-secret-2024',
    '0123456789ABCDEF0123456789ABCDEF',
    'abcdefghijklmnopqrstuvwxyz123456',
    'thisisasecretkeyforsigningsessions',
    'undefined',
    'hunter2',
    'please-change-me-to-something-random-in-production',
    'REPLACE_WITH_A_LONG_RANDOM_STRING_OF_CHARACTERS',
    'insecure-secret-for-development-only-not-for-production',
    'complex_password_for_testing_32_characters_long',
    'clinical-insight-engine-dev-secret',
    'deco-default-secret-k7x9m2p4q8w3n5v6',
    'TODO: generate a proper session secret!',
    'correct horse battery staple correct horse',
    'mq9hDxBVDbspDR6nLfFT1g==mq9hDxBVDbspDR6nLfFT1g==',
    'THE QUICK PASSWORD OF A BROWN FOX IN SPRING',
  ]
  for (const secret of placeholders) t.ok(judge(good({ secret })).includes('fatal secret-placeholder'), secret)
})

t.test('a variable that nobody filled in is a placeholder', async (t) => {
  const templates = [
    '${SESSION_SECRET_FROM_THE_ENVIRONMENT}',
    '$(cat /run/keys/the-cookie-key-of-this-app)',
    '{{ .Values.fastify.signingKey | quote }}',
    '<paste 32 bytes of openssl rand -base64 here>',
    '%FASTIFY_SIGNING_KEY_OF_THIS_DEPLOYMENT%',
    '$FASTIFY_SIGNING_KEY_OF_THIS_DEPLOYMENT',
    'process.env.FASTIFY_SIGNING_KEY_OF_THIS_DEPLOYMENT',
  ]
  for (const secret of templates) t.strictSame(judge(good({ secret })), ['fatal secret-placeholder'], secret)
})

t.test('a placeholder is called short too when it is, and repetitive when it is', async (t) => {
  t.strictSame(judge(good({ secret: 'changeme' })), ['fatal secret-short', 'fatal secret-placeholder'])
  t.strictSame(judge(good({ secret: 'abc'.repeat(20) })), ['fatal secret-low-entropy', 'fatal secret-placeholder'])
})

t.test('a finding about a secret that is silenced takes no other with it', async (t) => {
  const silence = (...rules: string[]): object => ({ silence: rules.map((rule) => ({ rule, reason: 'a demo' })) })
  t.strictSame(judge(good({ secret: 'keyboard cat', ...silence('secret-placeholder') })), ['fatal secret-short'])
  t.strictSame(judge(good({ secret: 'zzzzzzzz', ...silence('secret-short') })), ['fatal secret-low-entropy'])
})

t.test('a passphrase of random words is no placeholder', async (t) => {
  t.strictSame(judge(good({ secret: 'tulip-granite-osprey-lantern-quartz-velvet-monsoon-trident' })), [])
})

t.test('a missing entry of a list of secrets is reported at its index', async (t) => {
  const messages = (secret: unknown, environment: string): string[] =>
    checkConfig(good({ secret }), environment).map(
      ({ message, at }) => `${at.map(({ path }) => path).join()} ${message}`,
    )
  t.strictSame(messages([SECRET, ''], 'development'), [
    'secret[1] an element of the list of secrets is absent or empty',
  ])
  t.strictSame(messages([], 'production'), ['secret there is no secret to sign the cookie with'])
  t.strictSame(messages('', 'test'), ['secret there is no secret: a random one signs until this process ends'])
})

t.test('a secret that stands twice in the list is reported as a rotation without effect', async (t) => {
  t.strictSame(judge(good({ secret: [SECRET, SECRET] })), ['warning secret-duplicate'])
  t.strictSame(judge(good({ secret: ['', ''] })), ['fatal secret-missing'])
})

t.test('a store in memory is refused in production', async (t) => {
  const memory = [
    undefined,
    { ...STORE, volatile: true },
    Object.assign(Object.create({ constructor: { name: 'MemoryStore' } }), STORE),
  ]
  for (const store of memory) {
    t.strictSame(judge(good({ store })), ['fatal memory-store'])
    t.strictSame(judge(good({ store }), 'development'), [])
  }
})

t.test('several processes and a store in memory do not go together', async (t) => {
  const many: object[] = [
    { WEB_CONCURRENCY: '2' },
    { WEB_CONCURRENCY: 4 },
    { pm_id: '0', instances: '4' },
    { exec_mode: 'cluster_mode', instances: 'max' },
    { NODE_APP_INSTANCE: '1' },
  ]
  for (const variables of many) {
    const environment = { NODE_ENV: 'development', ...variables } as Record<string, string>
    t.strictSame(
      judge(good({ store: undefined }), environment),
      ['warning memory-store-cluster'],
      JSON.stringify(variables),
    )
    t.strictSame(judge(good(), environment), [], 'a shared store')
  }
  const one = [
    { WEB_CONCURRENCY: '1' },
    { instances: '4' },
    { pm_id: '0', instances: '1' },
    { NODE_APP_INSTANCE: '0' },
    { WEB_CONCURRENCY: 'x' },
  ]
  for (const variables of one) {
    t.strictSame(judge(good({ store: undefined }), { NODE_ENV: 'test', ...variables }), [], JSON.stringify(variables))
  }
  for (const store of [undefined, { ...STORE, volatile: true }]) {
    t.strictSame(judge(good({ store }), 'development', { clusterWorker: true }), ['warning memory-store-cluster'])
  }
  t.strictSame(judge(good({ store: undefined }), { NODE_ENV: 'production', WEB_CONCURRENCY: '2' }), [
    'fatal memory-store',
    'warning memory-store-cluster',
  ])
})

t.test('WEB_CONCURRENCY is a hint, which an app of one process silences', async (t) => {
  const silence = ['memory-store', 'memory-store-cluster'].map((rule) => ({ rule, reason: 'one process, a demo' }))
  const options = good({ store: undefined, silence })
  t.strictSame(judge(options, { NODE_ENV: 'production', WEB_CONCURRENCY: '2' }), [])
  for (const certain of [
    { pm_id: '0', instances: '4' },
    { NODE_APP_INSTANCE: '1', WEB_CONCURRENCY: '2' },
  ]) {
    t.strictSame(judge(options, { NODE_ENV: 'production', ...certain }), ['fatal memory-store-cluster'])
  }
})

t.test('development rules on a server are a warning', async (t) => {
  const servers: Record<string, string>[] = [
    { DYNO: 'web.1' },
    { RENDER: 'true' },
    { FLY_APP_NAME: 'shop' },
    { VERCEL_ENV: 'production' },
    { K_SERVICE: 'shop' },
    { AWS_LAMBDA_FUNCTION_NAME: 'shop' },
    { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    { NOMAD_ALLOC_ID: '5c5a2d1e' },
    { CONTAINER_APP_NAME: 'shop' },
    { KOYEB_APP_NAME: 'shop' },
    { PLATFORM_PROJECT: 'shop' },
  ]
  for (const server of servers) {
    const name = JSON.stringify(server)
    for (const NODE_ENV of ['development', 'test']) {
      t.strictSame(judge(good(), { NODE_ENV, ...server }), ['warning environment-deployed'], name)
    }
    t.strictSame(judge(good(), { NODE_ENV: 'production', ...server }), [], name)
    t.strictSame(judge(good({ environment: 'development' }), server), ['warning environment-deployed'], name)
    t.strictSame(judge(good(), { NODE_ENV: 'test', CI: 'true', ...server }), [], 'a build server')
  }
  t.strictSame(judge(good(), { NODE_ENV: 'development', VERCEL_ENV: 'preview' }), [])
})

t.test('a store that keeps what has expired is swept', async (t) => {
  const store = { ...STORE, sweep: async () => 0 }
  for (const sweepInterval of [undefined, 0, '0s', '0ms']) {
    t.strictSame(judge(good({ store, sweepInterval })), ['warning sweep-unset'], String(sweepInterval))
  }
  t.strictSame(judge(good({ store, sweepInterval: '1h' })), [])
  t.strictSame(judge(good({ store }), 'development'), [])
  t.strictSame(judge(good({ store: { ...store, volatile: true } })), ['fatal memory-store'])
  t.strictSame(judge(good({ store, sweepInterval: 5 })), ['fatal duration-unit'])
})

t.test('a file that does not outlive the process is no place for sessions', async (t) => {
  const at = (location: unknown): object => good({ store: { ...STORE, location } })
  for (const path of ['/tmp/sessions.db', '/dev/shm/x.db', `${tmpdir()}/x.db`]) {
    t.strictSame(judge(at(path)), ['warning store-ephemeral'], path)
  }
  for (const path of ['/var/lib/shop/sessions.db', '/srv/tmp/x.db', '', 5, undefined]) t.strictSame(judge(at(path)), [])
  t.strictSame(judge(at('/srv/x.db'), { NODE_ENV: 'production', DYNO: 'web.1' }), ['warning store-ephemeral'])
  t.strictSame(judge(at('/data/x.db'), { NODE_ENV: 'production', FLY_APP_NAME: 'shop' }), [])
  t.strictSame(judge(at('/tmp/x.db'), 'development'), [])
})

t.test('a certificate that nobody checks is a warning', async (t) => {
  const to = (connection: object): object => good({ store: { ...STORE, connections: [connection] } })
  t.strictSame(judge(to({ host: 'redis.internal', encrypted: true, verified: false })), [
    'warning store-tls-unverified',
  ])
  t.strictSame(judge(to({ host: 'localhost', encrypted: true, verified: false })), [])
  t.strictSame(judge(to({ host: 'redis.internal', encrypted: true })), [])
  t.strictSame(judge(good(), { NODE_ENV: 'production', NODE_TLS_REJECT_UNAUTHORIZED: '0' }), [
    'warning store-tls-unverified',
  ])
})

t.test('a store without its methods is told which', async (t) => {
  const { touch: _, ...store } = STORE
  const [finding] = checkConfig(good({ store }), 'production')
  t.equal(finding?.rule, 'session/store-incomplete')
  t.match(finding?.message, 'touch()')
  t.strictSame(judge(good({ store: {} }), 'development'), ['fatal store-incomplete'])
  t.strictSame(judge(good({ store: [] })), ['fatal option-type'])
  const express = { get: Date.now, set: Date.now, destroy: Date.now, touch: Date.now }
  const [wrapped] = checkConfig(good({ store: express, maxSessions: undefined }), 'production')
  t.match(wrapped?.fix.snippet, 'expressStore')
  const [counted] = checkConfig(good({ store: express }), 'production')
  t.match(counted?.fix.snippet, 'sqliteStore', 'maxSessions needs a user index')
  t.match(counted?.fix.text, 'expressStore')
})

t.test('a thing that is given in the place of a store is named, with the option that was meant', async (t) => {
  const redis = new Redis({ lazyConnect: true })
  const database = new Database(':memory:')
  const pool = new Pool()
  t.teardown(async () => {
    redis.disconnect()
    database.close()
    await pool.end()
  })
  const mistakes: [store: unknown, message: string, snippet: string][] = [
    [createClient(), 'this is a client of node-redis', 'store: redisStore({ client })'],
    [redis, 'this is a client of ioredis', 'store: redisStore({ client })'],
    [pool, 'this is a client or pool of pg', 'store: postgresStore({ pool })'],
    [database, 'this is a SQLite database', 'store: sqliteStore({ database })'],
  ]
  for (const [store, message, snippet] of mistakes) {
    const [finding] = checkConfig(good({ store: store as never }), 'production')
    t.match(finding, { rule: 'session/store-incomplete', message, fix: { snippet } })
  }
  t.match(checkConfig(good({ store: Promise.resolve(STORE) as never }), 'production'), [
    {
      rule: 'session/option-type',
      message: 'store is a Promise: await it',
      fix: { snippet: 'store: await openStore(process.env.SESSION_STORE)' },
    },
  ])
})

t.test('a function, a class or an address in the place of a store says what to do with it', async (t) => {
  class Store {
    readonly records = new Map<string, string>()
  }
  for (const store of [Store, () => STORE]) {
    t.match(checkConfig(good({ store }), 'production')[0], {
      rule: 'session/option-type',
      message: 'store is a function or a class: call it, and give what it returns',
    })
  }
  for (const store of ['redis://redis.internal', 'sessions.db']) {
    const [finding] = checkConfig(good({ store }), 'production')
    t.match(finding, { fix: { snippet: 'store: await openStore(process.env.SESSION_STORE)' } })
    t.match(finding?.fix.text, 'openStore of fastify-session-guard/stores/open opens the store of an address')
  }
})

t.test('a bare number is read in the unit in which it is nearer to the default', async (t) => {
  for (const [options, fix] of [
    [{ storeTimeout: 2000 }, "storeTimeout: '2s'"],
    [{ storeTimeout: 5 }, "storeTimeout: '5s'"],
    [{ userMaxAge: 60 }, "userMaxAge: '1m'"],
    [{ userMaxAge: 30_000 }, "userMaxAge: '30s'"],
    [{ sweepInterval: 3600 }, "sweepInterval: '1h'"],
  ] as [object, string][]) {
    const findings = checkConfig(good(options), 'production').filter(({ rule }) => rule === 'session/duration-unit')
    t.match(findings, [{ fix: { snippet: fix } }], JSON.stringify(options))
  }
})

t.test('a duration below another option is named with its path', async (t) => {
  const [finding] = checkConfig(good({ deviceBound: { lifetime: 600 } }), 'production')
  t.match(finding, {
    rule: 'session/duration-unit',
    message: 'deviceBound.lifetime needs a unit: 600 could be seconds or milliseconds',
    fix: { snippet: "deviceBound: { lifetime: '10m' }" },
  })
})

t.test('a store that keeps fewer promises says so', async (t) => {
  const store = { ...STORE, weaker: ['no compare-and-set', 5, 'no sweep'] }
  t.strictSame(judge(good({ store })), ['warning store-weaker'])
  t.strictSame(judge(good({ store }), 'development'), ['info store-weaker'])
  t.strictSame(judge(good({ store: { ...STORE, weaker: [] } })), [])
  t.strictSame(judge(good({ store: { ...STORE, weaker: 'x' } })), [])
})

t.test('an unencrypted way to the store is a warning, unless it stays on this machine', async (t) => {
  const to = (host: string, encrypted = false): object =>
    good({ store: { ...STORE, connections: [{ host, encrypted }] } })
  for (const host of ['redis.internal', '10.0.0.5', '[2001:db8::1]']) {
    t.strictSame(judge(to(host)), ['warning store-plaintext'], host)
  }
  for (const host of ['localhost', 'db.localhost', '127.0.0.1', '127.5.5.5', '::1', '[::1]', '/run/redis.sock']) {
    t.strictSame(judge(to(host)), [], host)
  }
  t.strictSame(judge(to('redis.internal', true)), [])
  t.strictSame(judge(to('redis.internal'), 'development'), [])
})

t.test('maxSessions needs a user index', async (t) => {
  const { listIndex: _, ...store } = STORE
  t.strictSame(judge(good({ store })), ['fatal user-index-missing'])
  t.strictSame(judge(good({ store, maxSessions: undefined })), ['info max-sessions-unset'])
  t.strictSame(judge(good({ maxSessions: () => 5 })), [])
})

t.test('anything but development and test is production, and says so', async (t) => {
  t.strictSame(judge(good(), undefined as never), [])
  t.strictSame(
    checkConfig(good()).map(({ rule }) => rule),
    ['session/environment-unset'],
  )
  t.strictSame(judge(good(), ''), ['info environment-unset'])
  t.strictSame(judge(good(), {}), ['info environment-unset'])
  t.strictSame(judge(good(), { NODE_ENV: '' }), ['info environment-unset'])
  const unknown: [string, string][] = [
    ['prod', 'production'],
    ['Production', 'production'],
    ['production ', 'production'],
    ['staging', 'production'],
    ['dev', 'development'],
    ['Development', 'development'],
    ['local', 'development'],
    ['testing', 'test'],
    ['ci', 'test'],
  ]
  for (const [name, meant] of unknown) {
    t.strictSame(judge(good(), name), ['warning environment-unknown'], name)
    t.strictSame(judge(good({ environment: name }), 'test'), ['warning environment-unknown'], name)
    t.equal(checkConfig(good(), name)[0]?.suggestion, meant)
    t.strictSame(
      judge({}, name).filter((finding) => finding.startsWith('fatal')),
      ['fatal secret-missing', 'fatal memory-store'],
    )
  }
})

t.test('a relaxed environment is never pasted into the code', async (t) => {
  for (const name of ['dev', 'local', 'testing', 'ci']) {
    const [inVariable] = checkConfig(good(), name)
    t.equal(inVariable?.fix.snippet, undefined, name)
    t.match(inVariable?.fix.text, 'NODE_ENV=')
    const [inCode] = checkConfig(good({ environment: name }), 'production')
    t.strictSame(inCode?.fix.patch, [{ op: 'remove', pointer: '/environment' }], name)
  }
  t.equal(checkConfig(good(), {})[0]?.fix.snippet, undefined)
  t.equal(checkConfig(good({ environment: 'Prod' }), 'test')[0]?.fix.snippet, "environment: 'production'")
})

t.test('the option wins over NODE_ENV, and a conflict is told', async (t) => {
  t.strictSame(judge(good({ environment: 'production' }), 'development'), [])
  for (const production of ['production', 'prod', 'Production', 'live']) {
    for (const environment of ['development', 'test']) {
      t.strictSame(judge(good({ environment }), production), ['fatal environment-conflict'], production)
      const silence = [{ rule: 'environment-conflict', reason: 'a rehearsal' }]
      t.strictSame(judge(good({ environment, silence }), production), [])
    }
  }
  for (const stage of ['staging', 'preview', 'qa']) {
    t.strictSame(judge(good({ environment: 'development' }), stage), ['warning environment-conflict'], stage)
  }
  for (const relaxed of [{}, 'dev', 'local', 'test', 'ci', 'development']) {
    t.strictSame(judge(good({ environment: 'development' }), relaxed), [], JSON.stringify(relaxed))
  }
})

t.test('without options development works with a warning, and production says all that is missing', async (t) => {
  t.strictSame(judge({}, 'development'), ['warning secret-missing'])
  t.strictSame(judge(undefined, 'development'), ['warning secret-missing'])
  const all = ['fatal secret-missing', 'fatal memory-store', 'warning tls-unproven', 'info max-sessions-unset']
  t.strictSame(judge({}), all)
  t.strictSame(judge(undefined), all)
})

t.test('TLS is unproven until somebody proves it', async (t) => {
  const { tls: _, ...options } = good()
  t.strictSame(judge(options), ['warning tls-unproven'])
  t.strictSame(judge(options, 'production', { https: true }), [])
  t.strictSame(judge({ ...options, tls: 'direct' }), [])
  t.strictSame(judge(options, 'development'), [])
})

t.test('a second session plugin is refused, and so is its cookie', async (t) => {
  t.strictSame(judge(good(), 'development', { sessionDecorated: true }), ['fatal duplicate-plugin'])
  t.strictSame(judge(good(), 'production', { cookieNames: ['__Host-session'] }), ['fatal duplicate-plugin'])
  t.strictSame(judge(good(), 'production', { cookieNames: ['session'] }), [])
})

t.test('cross-origin protection switched off is a warning', async (t) => {
  for (const environment of ['production', 'development']) {
    t.strictSame(judge(good({ crossOriginProtection: false }), environment), ['warning cross-origin-off'])
  }
})

t.test(
  'a copied session that goes on is a warning, and is refused where the session must be its owner\u2019s alone',
  async (t) => {
    const onCopiedSession = 'step-up'
    for (const environment of ['production', 'development']) {
      t.strictSame(judge(good({ onCopiedSession }), environment), ['warning copied-session-kept'])
      t.strictSame(judge(good({ onCopiedSession, assurance: 'aal1' }), environment), ['warning copied-session-kept'])
      for (const assurance of ['aal2', 'aal3']) {
        t.strictSame(judge(good({ onCopiedSession, assurance }), environment), ['fatal copied-session-kept'], assurance)
        t.strictSame(judge(good({ onCopiedSession: 'end', assurance }), environment), [], assurance)
      }
    }
  },
)

t.test('a duration in words that is shortened beside the other lifetimes is a decision of its author', async (t) => {
  const fixOf = (options: object): unknown => checkConfig(good(options), 'production')[0]?.fix
  t.match(fixOf({ idleTimeout: '1 day', absoluteTimeout: '10m' }), {
    snippet: "idleTimeout: '10m'",
    confidence: 'review',
  })
  t.match(fixOf({ idleTimeout: '5 minutes' }), { snippet: "idleTimeout: '5m'", confidence: 'safe' })
})
