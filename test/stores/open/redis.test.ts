import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../../lib/stores/open.ts'
import { openUrl } from '../../../lib/stores/open/store-url.ts'
import { recordAt } from '../../../lib/testing/contract/check.ts'
import { projectWith, recordingProject } from '../../support/projects.ts'
import { connectionsLeft, startRedis } from '../../support/servers/redis.ts'

const DRIVERS = ['redis', 'ioredis'] as const

const server = await startRedis(t)

for (const driver of DRIVERS) {
  t.test(`the database of the URL has the records, by ${driver}`, async (t) => {
    const store = await openStore(`${server.url}/1`, { cwd: projectWith(t, driver), prefix: `${driver}:` })
    t.teardown(() => store.close())
    const record = recordAt(Date.now())
    await store.create(record)
    t.equal(server.cli('-n', 1, 'keys', `${driver}:s:*`), `${driver}:s:${record.handle}`)
    server.cli('-n', 1, 'flushdb')
  })

  t.test(`a database that the server does not have is refused, and no connection stays, by ${driver}`, async (t) => {
    await t.rejects(openStore(`${server.url}/99`, { cwd: projectWith(t, driver) }), {
      message: /cannot be used: .*DB index is out of range/,
    })
    t.equal(await connectionsLeft(server), 0)
  })

  for (const scheme of ['redis', 'rediss']) {
    t.test(`a server that says nothing is given up after five seconds, ${scheme} by ${driver}`, async (t) => {
      const [port, connected] = await silentServer(t)
      const cwd = projectWith(t, driver)
      mock.timers.enable({ apis: ['setTimeout'] })
      t.teardown(() => mock.timers.reset())
      const refused: Error[] = []
      const opening = openStore(`${scheme}://127.0.0.1:${port}`, { cwd }).catch((error) => refused.push(error as Error))
      const socket = await connected
      mock.timers.tick(4_999)
      await turn()
      t.strictSame(refused, [])
      mock.timers.tick(1)
      await opening
      const silence = 'it accepts connections, but does not answer'
      const hint = scheme === 'rediss' ? ': it may not speak TLS' : ''
      t.equal(refused[0]?.message, `openStore: the store at 127.0.0.1:${port} cannot be used: ${silence}${hint}`)
      // node-redis goes on with a handshake of TLS until its own limit.
      if (scheme === 'rediss' && driver === 'redis') socket.destroy()
      if (!socket.closed) await once(socket, 'close')
    })
  }
}

/** Starts a server that never answers. Returns its port and the first connection. */
async function silentServer(t: { teardown(end: () => void): void }): Promise<[port: number, first: Promise<Socket>]> {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const first = once(silent, 'connection').then(([socket]) => (socket as Socket).resume().on('error', () => undefined))
  return [(silent.address() as AddressInfo).port, first]
}

t.test('a user who may not ask whether there is a Cluster is served', async (t) => {
  server.cli('acl', 'setuser', 'app', 'on', '>pw', '~*', '&*', '+@all', '-info')
  t.teardown(() => void server.cli('acl', 'deluser', 'app'))
  const url = server.url.replace('//', '//app:pw@')
  const store = await openStore(url, { cwd: projectWith(t, 'redis') })
  t.teardown(() => store.close())
  const record = recordAt(Date.now())
  await store.create(record)
  t.strictSame(await store.get(record.handle), record)
})

/** The pause before an attempt to connect again. A driver connects no more without a number. */
type Pause = (attempt: number) => number | false | null

const PAUSES: Record<(typeof DRIVERS)[number], (made: never) => Pause> = {
  redis: (made: { options: { socket: { reconnectStrategy: Pause } } }) => made.options.socket.reconnectStrategy,
  ioredis: (made: { options: { retryStrategy: Pause } }) => made.options.retryStrategy,
}

for (const driver of DRIVERS) {
  t.test(`an app connects again after pauses that grow to two seconds, a command does not, by ${driver}`, async (t) => {
    for (const isApp of [true, false]) {
      const { cwd, made } = recordingProject<never>(t, driver)
      const opened = await openUrl(server.url, { from: [cwd], isApp })
      t.teardown(() => opened.close())
      const [pause] = made.map((one) => PAUSES[driver](one))
      const pauses = [0, 1, 2, 38, 39, 1_000].map((attempt) => pause?.(attempt))
      const none = driver === 'redis' ? false : null
      t.strictSame(pauses, isApp ? [50, 100, 150, 1_950, 2_000, 2_000] : pauses.map(() => none))
    }
  })

  t.test(`a command that a lost connection cannot carry out is refused soon, by ${driver}`, async (t) => {
    const lost = await startRedis(t)
    const store = await openStore(lost.url, { cwd: projectWith(t, driver) })
    t.teardown(() => store.close())
    lost.pause()
    const message = driver === 'redis' ? /closed|ECONNRESET/ : /max retries per request limit \(which is 1\)/
    const refused = t.rejects(store.get('h'), { message })
    await lost.kill()
    await refused
    await t.rejects(store.get('h'), { message: /offline/i }, 'it does not wait in a queue')
  })
}
