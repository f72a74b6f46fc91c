import Fastify from 'fastify'
import { secureSession } from 'fastify-session-guard'
import { loginAs, manualClock, peek } from 'fastify-session-guard/testing'

async function build(clock) {
  const app = Fastify()
  await app.register(secureSession, { environment: 'test', secret: 'rQ8vWk2pLx0eT5sZ9yB3uN7mD1fH6jCa', clock })
  app.get('/me', { onRequest: app.requireLogin() }, async (request) => request.requireUser())
  return app
}

test('a member is let in until the session is idle for too long', async () => {
  const clock = manualClock()
  const app = await build(clock)
  const cookie = await loginAs(app, { id: 'ada' })
  const ask = () => app.inject({ url: '/me', headers: { cookie } })
  expect((await ask()).json()).toEqual({ id: 'ada' })
  expect(await peek(app, cookie)).toMatchObject({ user: { id: 'ada' } })
  clock.advance('31m')
  expect((await ask()).statusCode).toBe(401)
  await app.close()
})

test('a dangerous configuration rejects with an error of a known code', async () => {
  const app = Fastify()
  const registered = app.register(secureSession, { environment: 'production', secret: 'short' })
  await expect(registered).rejects.toMatchObject({ code: 'SESSION_GUARD_REFUSED' })
})
