import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'
import { Server } from 'socket.io'

const app = Fastify()
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

app.post('/logout-others', { onRequest: app.requireLogin() }, async (req) => {
  await req.logout({ others: true })
  return {}
})

const io = new Server(app.server)
app.addHook('preClose', async () => io.disconnectSockets(true))

/** socket.io does not go through Fastify, so this middleware stands where `requireLogin` stands for routes. */
io.use(async (socket, next) => {
  try {
    const session = await app.sessions.open(socket.request)
    if (session === null) return next(new Error('log in first'))
    socket.data.userId = session.userId
    session.signal.addEventListener('abort', () => socket.disconnect(true))
    socket.on('disconnect', () => session.close())
    return next()
  } catch (error) {
    // The page is of another origin, or the store does not answer.
    return next(new Error(error.code))
  }
})

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', `${socket.data.userId}: ${String(text).slice(0, 500)}`))
})

// A client that polls leaves a timer of 30 seconds behind in socket.io.
process.once('SIGTERM', () => app.close().finally(() => process.exit()))
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
