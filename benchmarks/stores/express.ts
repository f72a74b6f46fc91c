import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Handler } from 'express'
import type { User } from '../peers/peer.ts'
import { NOBODY, THEME } from '../peers/peer.ts'

/** express-session, with the options that the types of the other benchmarks leave out. */
const session = createRequire(import.meta.url)('express-session') as (options: object) => Handler

/** express-session on a store of its own, behind the routes that the scenarios of stores use. */
export async function startExpressOn(store: unknown): Promise<number> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const secret = randomBytes(32).toString('base64url')
  app.use(session({ secret, resave: false, saveUninitialized: false, store }))
  app.get('/user', (request, response) => {
    const user = request.session['user']
    if (user === undefined) response.status(401).json(NOBODY)
    else response.json(user)
  })
  app.get('/session', (request, response) => response.json({ theme: request.session['theme'] }))
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
    request.session.destroy((error) => (error ? next(error) : response.json({ ok: true })))
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
