import Fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { loadSession } from '../lib/hooks.ts'
import { secureSession } from '../lib/index.ts'
import type { Parts } from '../lib/session/parts.ts'
import { PARTS } from '../lib/session/parts.ts'
import { SECRET } from './plugin/world.ts'

t.test(
  'an error of what comes after the session is loaded goes to whoever called, and nothing runs twice',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(secureSession, { environment: 'test', secret: SECRET })
    const { [PARTS]: partsOf } = app as unknown as { [PARTS]: () => Parts }
    const request = { raw: { headers: { cookie: 'session=x' }, socket: {} }, routeOptions: { config: {} } }
    let count = 0
    const done = (): void => {
      count += 1
      throw new Error('a later hook')
    }
    const hook = loadSession(partsOf())
    t.throws(() => hook.call(app, request as unknown as FastifyRequest, {} as FastifyReply, done), {
      message: 'a later hook',
    })
    t.equal(count, 1)
  },
)
