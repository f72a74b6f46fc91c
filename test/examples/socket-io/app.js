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

/** Lets a socket in that comes with a session, and ends the socket when the session ends. */
async function admit(socket) {
  const session = await app.sessions.open(socket.request)
  if (session === null) throw new Error('log in first')
  socket.data.userId = session.userId
  session.signal.addEventListener('abort', () => socket.disconnect(true))
  socket.on('disconnect', () => session.close())
}

// socket.io does not go through Fastify, so this middleware stands where `requireLogin` stands for routes. `code` tells
// of a page of another origin, or of a store that does not answer.
io.use((socket, next) => {
  admit(socket).then(
    () => next(),
    ({ code, message }) => next(new Error(code ?? message)),
  )
})

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', `${socket.data.userId}: ${String(text).slice(0, 500)}`))
})

// A client that polls leaves a timer of 30 seconds behind in socket.io.
process.once('SIGTERM', () => void app.close().finally(() => process.exit()))
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
