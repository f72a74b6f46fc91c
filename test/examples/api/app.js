import cors from '@fastify/cors'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

/** The origin that serves the single-page app. The same list goes to CORS and to the session. */
const origins = [process.env.APP_ORIGIN ?? 'http://localhost:5173']

const app = Fastify()
await app.register(cors, { origin: origins, credentials: true, methods: ['GET', 'POST', 'DELETE'] })
await app.register(secureSession, { trustedOrigins: origins })

// Check the password here. This example takes any name.
app.post('/session', async (req) => {
  await req.login({ id: String(req.body.name) })
  return req.user
})

app.get('/session', { onRequest: app.requireLogin() }, async (req) => req.user)

app.delete('/session', async (req, reply) => {
  await req.logout()
  return reply.code(204).send()
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
