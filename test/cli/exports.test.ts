import fastify from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import t from 'tap'
import { appsIn, describeExports, functionIn, isClass, isPlugin, optionsIn, starterOf } from '../../lib/cli/exports.ts'

const app = fastify()

class Server {
  app = app
}

const build = (): object => app
const other = (): object => app

t.test('every exported app is found, in promises and in what CommonJS exports', async (t) => {
  const second = fastify()
  t.strictSame(await appsIn({ default: app }), [app])
  t.strictSame(await appsIn({ one: app, two: Promise.resolve().then(() => ({ app: second })), three: app }), [app])
  t.strictSame(await appsIn({ default: { server: app, second }, __esModule: true }), [app, second])
  t.strictSame(await appsIn({ default: { default: app } }), [app])
  t.strictSame(await appsIn({ app: Promise.reject(new Error('no')) }), [])
  t.strictSame(await appsIn({ a: null, b: 1, 'module.exports': app }), [])
})

t.test('an export that cannot be read is none', async (t) => {
  const exported = Object.defineProperty({}, 'app', {
    enumerable: true,
    get: () => {
      throw new Error('not yet')
    },
  })
  t.strictSame(await appsIn(exported), [])
})

t.test('the function with the likeliest name is taken, or the only one', async (t) => {
  t.equal(functionIn({ default: build, start: other }), build)
  t.equal(functionIn({ startServer: other, createServer: build }), build)
  t.equal(functionIn({ default: { createServer: build, helper: other } }), build)
  t.equal(functionIn({ frobnicate: build }), build)
  t.equal(functionIn({ one: build, same: build }), build)
  t.equal(functionIn({ one: build, two: other }), undefined)
  t.equal(functionIn({}), undefined)
})

t.test('a member that cannot be read is not what starts an app', async (t) => {
  class Broken {
    get start(): never {
      throw new Error('not yet')
    }

    run(): this {
      return this
    }
  }
  const broken = new Broken()
  t.equal(starterOf(broken)?.name, 'run')
  t.equal(starterOf(broken)?.(), broken)
})

t.test('options are an object with an option in it, or under a name that says so', async (t) => {
  const options = { secret: 'x' }
  t.equal(optionsIn({ default: options }), options)
  t.equal(optionsIn({ default: { sessionOptions: options } }), options)
  t.equal(optionsIn({ anything: options }), options)
  t.strictSame(optionsIn({ sessionOptions: { sercet: 'x' } }), { sercet: 'x' })
  const bare = Object.create(null) as object
  t.equal(optionsIn({ sessionOptions: bare }), bare)
  for (const none of [
    {},
    { default: {} },
    { default: { createServer: build } },
    { port: 1 },
    { config: { port: 1 } },
  ]) {
    t.equal(optionsIn(none), undefined)
  }
  t.equal(optionsIn({ default: app }), undefined)
})

t.test(
  'a plugin has two parameters, a mark of fastify-plugin, or a parameter that is called like an app',
  async (t) => {
    t.ok(isPlugin((one: unknown, two: unknown) => [one, two]))
    t.ok(isPlugin(fastifyPlugin(async () => undefined)))
    t.ok(isPlugin(async (server: unknown) => server))
    t.ok(
      isPlugin(function named(instance: unknown) {
        return instance
      }),
    )
    t.notOk(isPlugin((options: unknown) => options))
    t.notOk(isPlugin(() => app))
    t.ok(isClass(Server as unknown as () => void))
    t.notOk(isClass(build))
  },
)

t.test('the exports that were found are named with their kinds', async (t) => {
  t.match(describeExports({}), /exports no app, no function that makes one, no session options$/)
  t.match(describeExports({ default: {} }), /options$/)
  t.match(
    describeExports({ answer: 42, nothing: null, build, Server, config: { port: 1 } }),
    'Found: answer (number), nothing (null), build (function), Server (class), config (object)',
  )
})
