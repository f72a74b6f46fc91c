import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

const app = Fastify()
await app.register(secureSession)

// Check the password here. This example takes any name. An app on a telephone asks for it rarely: `remember`.
app.post('/login', async (req) => {
  await req.login({ id: String(req.body.name) }, { remember: true })
  return req.user
})

app.get('/me', { onRequest: app.requireLogin() }, async (req) => req.user)

// Check the password here. The session gets a new id, as it also does from time to time by itself.
app.post('/confirm', { onRequest: app.requireLogin() }, async (req) => {
  await req.confirmLogin()
  return req.user
})

app.post('/logout', { onRequest: app.requireLogin() }, async (req) => {
  await req.logout({ everywhere: req.body.everywhere === true })
  return {}
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
