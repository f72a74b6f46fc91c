import { createServer } from 'node:http'
import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

/**
 * Stands for a server that renders pages: Next, Remix, SvelteKit, or `vite dev`. It trusts the header of the proxy
 * alone.
 */
const renderer = createServer((req, res) => {
  res.setHeader('content-type', 'text/html')
  const { cookie = 'no cookie', 'x-user-id': user = 'stranger' } = req.headers
  res.end(`<h1>Hello, ${String(user)}</h1><p>${cookie}</p>`)
})
await new Promise((resolve) => {
  renderer.listen(0, '127.0.0.1', resolve)
})

const app = Fastify()
await app.register(secureSession)

// Check the password here. This example takes any name.
app.post('/api/login', async (req) => {
  await req.login({ id: String(req.body.name) })
  return req.user
})

app.post('/api/logout', async (req) => {
  await req.logout()
  return {}
})

await app.register(proxy, {
  upstream: `http://127.0.0.1:${renderer.address().port}`,
  replyOptions: {
    // The renderer gets the user in place of the session cookie, and never a header that the browser made up.
    rewriteRequestHeaders: (req, { cookie: _cookie, 'x-user-id': _forged, ...headers }) =>
      req.user === null ? headers : { ...headers, 'x-user-id': req.user.id },
  },
})

app.addHook('onClose', async () => renderer.close())
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
