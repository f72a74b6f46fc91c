import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as send } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import Fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import { SECRET } from '../support/app.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import type { ProxyName } from '../support/servers/repeating-proxies.ts'
import { startProxy } from '../support/servers/repeating-proxies.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import { Jar } from '../support/jar.ts'

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A slow request, as its first server has it. */
interface Slow {
  /** Resolves when a server has read the request and its session. */
  readonly arrived: Promise<void>
  /** Breaks the connection to that server, as a server does that is stopped. */
  readonly fail: () => void
}

interface Deployment {
  readonly clock: TestClock
  readonly replays: string[]
  readonly slow: Slow
}

/** Starts two apps over one store, behind a proxy. */
async function deploy(t: Test, name: ProxyName, home: string): Promise<Deployment> {
  const clock = testClock()
  const store = memoryStore({ clock })
  const replays: string[] = []
  let arrive = (): void => undefined
  let fail = (): void => undefined
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  let isFirst = true
  for (const socket of ['one.sock', 'two.sock']) {
    const app = Fastify({ logger: false })
    t.teardown(() => app.close())
    await app.register(secureSession, { environment: 'test', secret: SECRET, clock, store, storeTimeout: '60s' })
    app.sessions.events.on('replay', ({ handle }) => void replays.push(handle))
    app.get('/login', async (request) => {
      await request.login({ id: 'ann' })
      return {}
    })
    app.get('/me', async (request) => ({ user: request.user?.id ?? null }))
    app.get('/slow', async (request) => {
      if (!isFirst) return { user: request.user?.id ?? null }
      isFirst = false
      fail = () => request.raw.socket.destroy()
      arrive()
      return new Promise(() => undefined)
    })
    await app.listen({ path: join(home, socket) })
  }
  await startProxy(t, name, home)
  return { clock, replays, slow: { arrived, fail: () => fail() } }
}

/** A browser behind the proxy. Its requests take the cookie that stands in the jar when they are sent. */
class Visitor {
  readonly #jar = new Jar()
  readonly #socketPath: string

  constructor(home: string) {
    this.#socketPath = join(home, 'proxy.sock')
  }

  get session(): string | undefined {
    return this.#jar.get('session')
  }

  async get(path: string): Promise<{ user?: string | null }> {
    const cookie = this.#jar.header(0)
    const headers = { host: 'app.test', 'user-agent': USER_AGENT, ...(cookie !== '' && { cookie }) }
    const sent = send({ socketPath: this.#socketPath, path, headers, agent: false }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    this.#jar.take(response.headers['set-cookie'] ?? [], 0)
    return (await json(response)) as { user?: string | null }
  }
}

for (const name of ['nginx', 'haproxy'] as const) {
  t.test(`a GET that ${name} repeats on the next server, a minute after a renewal, ends no session`, async (t) => {
    const home = temporaryFolder(t)
    const { clock, replays, slow } = await deploy(t, name, home)
    const visitor = new Visitor(home)
    await visitor.get('/login')
    const old = visitor.session
    clock.advance('16m')
    const report = visitor.get('/slow')
    await slow.arrived
    for (const round of [1, 2, 3]) t.same(await visitor.get('/me'), { user: 'ann' }, `another tab, round ${round}`)
    const renewed = visitor.session
    t.not(renewed, old)
    clock.advance('60s')
    slow.fail()
    t.same(await report, { user: 'ann' }, 'the repeated request, with the cookie from before the renewal')
    for (const minutes of [1, 2, 3, 4]) {
      clock.advance('1m')
      t.same(await visitor.get('/me'), { user: 'ann' }, `${minutes} minutes later`)
    }
    t.strictSame(replays, [])
  })
}
