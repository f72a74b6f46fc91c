import awsLambdaFastify from '@fastify/aws-lambda'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

export const app = Fastify({ trustProxy: true })
// On AWS the store is Redis or PostgreSQL: the next request may meet another instance of this function.
await app.register(secureSession)

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

export const handler = awsLambdaFastify(app)
await app.ready()
