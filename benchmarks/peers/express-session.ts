import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import type { User } from './peer.ts'
import { NOBODY, THEME } from './peer.ts'

/** Starts Express without the two headers that Express alone computes (X-Powered-By, ETag). */
export async function startExpressSession(): Promise<number> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(session({ secret: randomBytes(32).toString('base64url'), resave: false, saveUninitialized: false }))
  app.get('/anonymous', (_request, response) => response.json({ hello: 'world' }))
  app.get('/user', (request, response) => {
    const user = request.session['user']
    if (user === undefined) response.status(401).json(NOBODY)
    else response.json(user)
  })
  app.get('/session', (request, response) => {
    const theme = request.session['theme']
    if (theme === undefined) response.status(401).json(NOBODY)
    else response.json({ theme })
  })
  app.post('/write', (request, response) => {
    const views = Number(request.session['views'] ?? 0) + 1
    request.session['views'] = views
    response.json({ views })
  })
  app.post('/login', express.json(), (request, response, next) => {
    const { id, name } = request.body as User
    request.session.regenerate((error) => {
      if (error) return next(error)
      request.session['user'] = { id, name }
      request.session['theme'] = THEME
      response.json({ ok: true })
    })
  })
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error) => {
      if (error) return next(error)
      response.json({ ok: true })
    })
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
