import flash from '@fastify/flash'
import formbody from '@fastify/formbody'
import view from '@fastify/view'
import ejs from 'ejs'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

const app = Fastify()
await app.register(secureSession)
await app.register(flash)
await app.register(formbody)
await app.register(view, { engine: { ejs }, root: `${import.meta.dirname}/views` })

app.get('/', async (req, reply) => reply.view('home.ejs', { user: req.user, messages: reply.flash('notice') }))

// Check the password here. This example takes any name.
app.post('/login', async (req, reply) => {
  const name = String(req.body.name ?? '').trim()
  if (name === '') {
    req.flash('notice', 'Type a name.')
    return reply.redirect('/')
  }
  await req.login({ id: name.toLowerCase(), name })
  req.flash('notice', `Welcome, ${name}.`)
  return reply.redirect('/')
})

app.post('/logout', async (req, reply) => {
  await req.logout()
  req.flash('notice', 'Logged out.')
  return reply.redirect('/')
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
