export default async function routes(fastify) {
  fastify.post('/login', async (req) => {
    await req.login({ id: String(req.body.name) })
    return req.user
  })

  fastify.get('/me', { onRequest: fastify.requireLogin() }, async (req) => req.user)

  fastify.post('/logout', async (req) => {
    await req.logout()
    return {}
  })
}
