import Fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { loadRequestSession } from '../../lib/http/hooks.ts'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { Engine } from '../../lib/session/engine.ts'
import { ENGINE } from '../../lib/session/engine.ts'
import { coreOnly } from '../plugin/stores.ts'
import { SECRET } from '../plugin/world.ts'

const NO_REPLIES = { note: (): void => undefined, release: (): void => undefined, seeSent: (): void => undefined }

t.test(
  'an error of what comes after the session is loaded goes to whoever called, and nothing runs twice',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(secureSession, { environment: 'test', secret: SECRET })
    const { [ENGINE]: engineOf } = app as unknown as { [ENGINE]: () => Engine }
    const request = { raw: { headers: { cookie: 'session=x' }, socket: {} }, routeOptions: { config: {} } }
    let count = 0
    const done = (): void => {
      count += 1
      throw new Error('a later hook')
    }
    const hook = loadRequestSession(engineOf(), NO_REPLIES)
    t.throws(() => hook.call(app, request as unknown as FastifyRequest, {} as FastifyReply, done), {
      message: 'a later hook',
    })
    t.equal(count, 1)
  },
)

t.test('an error after a session was loaded from afar is answered, and nothing runs twice', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const store = memoryStore()
  const afar = { ...coreOnly(store), get: async (handle: string) => store.get(handle) }
  await app.register(secureSession, { environment: 'test', secret: SECRET, store: afar })
  app.post('/login', async (request) => request.login({ id: 'ann' }))
  const { headers } = await app.inject({ method: 'POST', url: '/login' })
  const { [ENGINE]: engineOf } = app as unknown as { [ENGINE]: () => Engine }
  const cookie = String(headers['set-cookie']).split(';')[0]
  const request = { raw: { headers: { cookie }, socket: {} }, routeOptions: { config: {} } }
  const heard: unknown[] = []
  await new Promise<void>((resolve) => {
    const done = (error?: Error): void => {
      heard.push(error?.message)
      if (error === undefined) throw new Error('a later hook')
      resolve()
    }
    loadRequestSession(engineOf(), NO_REPLIES).call(app, request as unknown as FastifyRequest, {} as FastifyReply, done)
  })
  t.same(heard, [undefined, 'a later hook'])
})

for (const kind of ['in memory', 'afar'] as const) {
  t.test(`a response that cannot be sent is a 500 like any other, and no end of the process: ${kind}`, async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    const store = memoryStore()
    const options = { environment: 'test', secret: SECRET } as const
    await app.register(secureSession, kind === 'afar' ? { ...options, store: coreOnly(store) } : { ...options, store })
    app.post('/login', async (request) => request.login({ id: 'ann' }))
    // The client chose this text, which cannot stand in a header.
    const next = '/\u4e2d'
    app.get('/go', async (request, reply) => {
      if (request.isAuthenticated()) Object.assign(request.session, { n: Math.random() })
      return reply.redirect(next)
    })
    app.get('/go-on', (request, reply) => {
      if (request.isAuthenticated()) Object.assign(request.session, { n: Math.random() })
      void reply.redirect(next)
    })
    app.get('/not-a-text', async (request, reply) => {
      if (request.isAuthenticated()) Object.assign(request.session, { n: Math.random() })
      reply.type('text/plain')
      return { a: 1 }
    })
    const port = new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port
    const login = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST' })
    const mine = login.headers.get('set-cookie')?.split(';')[0] ?? ''
    for (const cookie of ['session=x', mine]) {
      for (const path of ['/go', '/go-on', '/not-a-text']) {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie }, redirect: 'manual' })
        t.equal(response.status, 500, `${path} with ${cookie.slice(0, 9)}`)
        await response.text()
      }
    }
  })
}
