import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'
import { redisStore } from 'fastify-session-guard/stores/redis'
import { createClient } from 'redis'

const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true })
client.on('error', () => undefined)
await client.connect()

// nginx is the only client of this port, and it sets X-Forwarded-For and X-Forwarded-Proto.
const app = Fastify({ trustProxy: '127.0.0.1' })
await app.register(secureSession, {
  secret: process.env.SESSION_SECRET,
  store: redisStore({ client }),
  tls: 'proxy',
})

app.addHook('onSend', async (_req, reply) => {
  reply.header('strict-transport-security', 'max-age=31536000').header('x-process', process.pid)
})

// Check the password here. This example takes any name.
app.post('/login', async (req) => {
  await req.login({ id: String(req.body.name) })
  return req.user
})

app.get('/me', { onRequest: app.requireLogin() }, async (req) => req.user)

app.post('/logout', async (req) => {
  await req.logout()
  return {}
})

app.addHook('onClose', () => client.close())
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
