import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t from 'tap'
import { memoryStore, secureSession } from '../../lib/index.ts'
import { SECRET } from '../support/app.ts'

/** Returns the number of timers that keep this process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

t.test(
  'an app that closes ends the stream that is under way first, then its own clients, then its store',
  async (t) => {
    const order: string[] = []
    const store = Object.assign(memoryStore(), { close: async () => void order.push('store closed') })
    const body = new PassThrough()
    const app = Fastify()
    await app.register(secureSession, { environment: 'test', secret: SECRET, store })
    app.addHook('onClose', async () => void order.push('client closed'))
    app.get('/stream', async (request, reply) => {
      await request.login({ id: 'ann' })
      reply.raw.once('finish', () => order.push('stream ended'))
      body.write('first ')
      return reply.send(body)
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const [response] = (await once(get({ host: '127.0.0.1', port, path: '/stream', agent: false }), 'response')) as [
      IncomingMessage,
    ]
    const before = timers()
    const closing = app.close()
    await new Promise((resolve) => setImmediate(resolve))
    const cookie = String(response.headers['set-cookie']).split(';', 1).join()
    t.match(cookie, /^session=/)
    t.strictSame(order, [], 'nothing is closed while the stream is open')
    body.end('last')
    t.equal(await text(response), 'first last')
    await closing
    t.strictSame(order, ['stream ended', 'client closed', 'store closed'])
    t.ok(timers() <= before, 'and no timer keeps the process alive')
  },
)
