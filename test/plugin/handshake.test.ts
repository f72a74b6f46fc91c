import t from 'tap'
import { settled } from './signals.ts'
import { coreOnly } from './stores.ts'
import { ordinary, world } from './world.ts'

const HOST = 'app.example'

t.test('a handshake is judged by the connection that it came over', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const cookie = `session=${ann.cookie}`
  const open = async (origin: string | undefined, encrypted: boolean, host: string | undefined = HOST) => {
    const headers = { cookie, ...(host !== '' && { host }), ...(origin !== undefined && { origin }) }
    const opened = await app.sessions.open({ headers, socket: { encrypted, remoteAddress: '10.0.0.1' } })
    opened?.close()
    return opened?.userId
  }
  t.equal(await open(undefined, true), 'ann', 'no browser')
  t.equal(await open(`https://${HOST}`, true), 'ann')
  t.equal(await open(`http://${HOST}`, false), 'ann')
  t.equal(await open(`https://${HOST}`, false), 'ann', 'a proxy may end TLS')
  const refused = { code: 'SESSION_CROSS_ORIGIN' }
  await t.rejects(open(`http://${HOST}`, true), refused)
  await t.rejects(open('https://evil.example', true), refused)
  await t.rejects(open(`https://${HOST}`, true, ''), refused, 'no host to compare with')
})

t.test('a handshake without a single cookie of the session opens none', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  for (const cookie of [undefined, '', 'other=1', `session=${ann.cookie}; session=other`, 'session=', 'session=x']) {
    t.equal(await app.sessions.open({ headers: { cookie } }), null)
    t.equal(await app.sessions.open(cookie), null)
  }
  t.match(await app.sessions.open(`a=1; session=${ann.cookie}`), { userId: 'ann' })
})

t.test('a handshake that shows no id of this app asks the store for nothing', async (t) => {
  const { app, asked } = await world(t, { routes: ordinary })
  asked()
  for (const cookie of [undefined, 'other=1', 'session=x', 'session=a; session=b']) {
    t.equal(await app.sessions.open({ headers: { cookie } }), null)
  }
  t.strictSame(asked(), [])
})

t.test('a session that ends while a handshake opens it is known to have ended', async (t) => {
  let isEnding = false
  const { app, visitor } = await world(t, {
    routes: ordinary,
    // Another process ends the session between the two looks, and this store does not announce it.
    store: (store) => ({
      ...coreOnly(store),
      get: async (handle) => {
        const record = await store.get(handle)
        if (isEnding) await store.delete(handle)
        return record
      },
    }),
  })
  const ann = visitor()
  await ann.post('/login')
  isEnding = true
  const opened = await app.sessions.open(`session=${ann.cookie}`)
  t.equal(opened?.userId, 'ann')
  await settled()
  t.equal(opened?.signal.aborted, true)
})
