import { resolve } from 'node:path'
import fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { bootExports } from '../../lib/cli/boot-exports.ts'
import type { AppWatch } from '../../lib/cli/watch-app.ts'
import { onReport } from '../../lib/guard/report/channel.ts'
import { secureSession } from '../../lib/index.ts'
import { FIXTURES } from './harness.ts'

const FILE = resolve(FIXTURES, 'nothing.ts')

const { NODE_ENV } = process.env
process.env['NODE_ENV'] = 'test'
t.teardown(() => {
  if (NODE_ENV === undefined) delete process.env['NODE_ENV']
  else process.env['NODE_ENV'] = NODE_ENV
})

/** The results for exports, from a watch that ends no process. */
interface Seen {
  rules: string[]
  errors: string[]
  graces: number[]
  nothing: string | undefined
}

const heard: string[][] = []
onReport(({ findings }) => heard.push(findings.map(({ rule }) => rule.replace('session/', ''))))

async function boot(exported: Record<string, unknown>, file = FILE, apps: AppWatch['apps'] = new Set()): Promise<Seen> {
  heard.length = 0
  const seen: Seen = { rules: [], errors: [], graces: [], nothing: undefined }
  let own = 0
  const watch = {
    apps,
    reportCount: () => heard.length + own,
    addReport: ({ findings }) => {
      own += 1
      seen.rules.push(...findings.map(({ rule }) => rule.replace('session/', '')))
    },
    addError: (error) => void seen.errors.push((error as Error).message),
    quiet: async (grace) => void seen.graces.push(grace),
    finish: (async (nothing) => {
      seen.nothing = nothing
    }) as AppWatch['finish'],
  } satisfies AppWatch
  await bootExports(exported, file, watch)
  seen.rules.push(...heard.flat())
  return seen
}

const registering = (app = fastify()): ReturnType<typeof fastify> => {
  void app.register(secureSession, { environment: 'test' })
  return app
}

/** Checks that an export leads to no finding, and that the reason is told. */
function makesNothing(t: Test, { rules, nothing }: Seen): void {
  t.strictSame(rules, [])
  t.match(nothing, /it made no Fastify app/)
}

t.test('exported apps are booted, and functions are left alone then', async (t) => {
  const build = (): boolean => t.fail('called')
  const seen = await boot({ app: registering(), build })
  t.match(seen, { rules: ['secret-missing'], nothing: undefined })
  t.strictSame(seen.errors, [])
})

t.test('a function that makes an app, an object with an app, or options is called', async (t) => {
  t.ok((await boot({ build: () => registering() })).rules.includes('secret-missing'))
  t.ok((await boot({ build: async () => registering() })).rules.includes('secret-missing'))
  t.ok((await boot({ build: () => ({ server: registering() }) })).rules.includes('secret-missing'))
  t.ok((await boot({ build: () => ({ environment: 'test' }) })).rules.includes('secret-missing'))
  makesNothing(t, await boot({ build: () => ({ port: 1 }) }))
  makesNothing(t, await boot({ build: () => 'text' }))
})

t.test('a class is constructed', async (t) => {
  class Server {
    app = registering()
  }
  t.ok((await boot({ default: Server })).rules.includes('secret-missing'))
})

t.test('a class whose constructor makes no app is started by the likeliest of its methods', async (t) => {
  class Later {
    server: unknown
    stop(): boolean {
      return t.fail('called')
    }
    async init(): Promise<void> {
      this.server = registering()
    }
    async listen(): Promise<void> {
      await Promise.resolve(t.fail('the likeliest comes first'))
    }
  }
  t.ok((await boot({ App: Later })).rules.includes('secret-missing'))
  class Factory {
    readonly port = 3000
    static async create(): Promise<ReturnType<typeof fastify>> {
      return registering()
    }
  }
  t.ok((await boot({ default: Factory })).rules.includes('secret-missing'))
  class Nothing {
    value = 1
  }
  makesNothing(t, await boot({ default: Nothing }))
})

t.test('an exported object that has a start of its own is started', async (t) => {
  const server = { port: 3000, stop: () => t.fail('called'), start: async () => void registering() }
  const watched = new Set<ReturnType<typeof fastify>>()
  const start = async (): Promise<void> => void watched.add(registering())
  t.match(await boot({ server: { ...server, start: async () => registering() } }), { rules: ['secret-missing'] })
  await boot({ server: { ...server, start } })
  t.equal(watched.size, 1)
  const failing = {
    start: () => {
      throw new RangeError('PORT is not set')
    },
  }
  t.match(await boot({ failing }), { errors: ['PORT is not set'] })
})

t.test('a plugin is registered, also one that looks like a builder', async (t) => {
  const plugin = async (context: ReturnType<typeof fastify>): Promise<void> => {
    await context.register(secureSession, { environment: 'test' })
  }
  t.ok((await boot({ default: plugin })).rules.includes('secret-missing'))
  t.ok(
    (await boot({ default: async (app: ReturnType<typeof fastify>) => plugin(app) })).rules.includes('secret-missing'),
  )
})

t.test('a function that fails says so', async (t) => {
  const fail = (): never => {
    throw new TypeError('this app is broken')
  }
  const seen = await boot({ build: fail })
  t.strictSame(seen.errors, ['this app is broken'])
  makesNothing(t, seen)
})

t.test('options are judged when nothing else was', async (t) => {
  t.ok((await boot({ sessionOptions: { environment: 'test' } })).rules.includes('secret-missing'))
})

t.test('an app without sessions is told from a module without an app', async (t) => {
  t.equal((await boot({ app: fastify() })).nothing, 'it does not register fastify-session-guard')
  t.match((await boot({ answer: 42 })).nothing, 'it made no Fastify app')
})

t.test('a module without exports may take as long as it likes, one that calls listen some seconds', async (t) => {
  t.strictSame((await boot({ answer: 42 })).graces, [2 ** 31 - 1])
  t.strictSame((await boot({ app: registering() })).graces, [500])
  t.strictSame((await boot({ app: registering() }, resolve(FIXTURES, 'listening.ts'))).graces, [5000])
  const found = await boot({}, FILE, new Set([registering()]))
  t.strictSame(found.graces, [500], 'the app that it made is there to be booted')
})
