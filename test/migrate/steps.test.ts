import { promisify } from 'node:util'
import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { boot } from '../support/app.ts'
import { testClock } from '../support/clock.ts'
import { cookieSessionApp, expressSessionApp, memoryOf } from './old-apps.ts'
import { isNobody, newApp } from './new-app.ts'

const APPS = { 'a record on a server': expressSessionApp, 'a cookie': cookieSessionApp }

/** The store operations of one move. */
const OPERATIONS = ['get', 'create', 'update', 'addToIndex', 'keepInIndex', 'delete']

for (const [kind, make] of Object.entries(APPS)) {
  for (const fate of ['fail', 'lose'] as const) {
    t.test(`a store that fails at any step of a move (${fate}) logs nobody out: ${kind}`, async (t) => {
      const old = make(t)
      const { bench, visitor } = await newApp(t, old)
      let failures = 0
      for (const name of OPERATIONS) {
        for (let after = 0; after < 4; after += 1) {
          const ann = visitor(await old.open({ userId: 'ann', step: `${name} ${after}` }))
          const caught = bench.gate.as('first', () => bench.gate.hold(name, { by: 'first', after }))
          void caught.arrived.then(() => caught[fate]())
          const first = await bench.gate.as('first', () => ann.visit())
          if (first.status === 503) failures += 1
          else t.equal(first.userId, 'ann')
          const again = await ann.visit()
          t.match(again, { status: 200, userId: 'ann', data: { step: `${name} ${after}` } }, `${name} ${after}`)
          t.match(await ann.visit(), { userId: 'ann', handle: again.handle })
        }
      }
      t.ok(failures >= 7, `${failures} steps failed`)
      const listed = await bench.app.sessions.list('ann')
      t.equal(new Set(listed.map(({ handle }) => handle)).size, OPERATIONS.length * 4, 'one session for each')
    })
  }

  t.test(`a move that stopped half-way is taken up hours later: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old, { session: { idleTimeout: '8h' } })
    for (const [name, after] of [
      ['addToIndex', 0],
      ['update', 0],
      ['keepInIndex', 0],
      ['update', 1],
    ] as const) {
      const ann = visitor(await old.open({ userId: 'ann', step: `${name} ${after}` }))
      const caught = bench.gate.as('first', () => bench.gate.hold(name, { by: 'first', after }))
      void caught.arrived.then(() => caught.fail())
      t.equal((await bench.gate.as('first', () => ann.visit())).status, 503, `${name} ${after}`)
      bench.clock.advance('1h')
      t.match(await ann.visit(), { userId: 'ann', data: { step: `${name} ${after}` } }, `${name} ${after}`)
    }
    t.equal(await bench.app.sessions.revokeUser('ann'), 4, 'a revocation finds each of them')
  })

  t.test(`a request that loses the race for the mark leaves no record behind: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor, living } = await newApp(t, old)
    const ann = visitor(await old.open({ userId: 'ann' }))
    const slow = ann.copy()
    const caught = bench.gate.as('slow', () => bench.gate.hold('create', { by: 'slow', after: 1 }))
    const late = bench.gate.as('slow', () => slow.visit())
    await caught.arrived
    const first = await ann.visit()
    caught.release()
    t.equal((await late).handle, first.handle)
    t.equal((await living()).length, 2, 'the session and the mark')
  })

  t.test(`a logout between two parallel first requests is not undone: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const ann = visitor(await old.open({ userId: 'ann' }))
    for (const [name, after] of [
      ['create', 0],
      ['create', 1],
      ['update', 0],
      ['addToIndex', 0],
      ['get', 1],
    ] as const) {
      const cookies = await old.open({ userId: 'ann', step: `${name} ${after}` })
      const [fast, slow] = [visitor(cookies), visitor(cookies)]
      const caught = bench.gate.as('slow', () => bench.gate.hold(name, { by: 'slow', after }))
      const late = bench.gate.as('slow', () => slow.visit())
      await caught.arrived
      t.equal((await fast.visit()).userId, 'ann')
      await fast.visit('/logout')
      caught.release()
      t.equal((await late).userId, null, `${name} ${after}`)
      t.equal((await slow.visit()).userId, null)
    }
    t.equal((await ann.visit()).userId, 'ann')
  })

  t.test(`a login in the new session shuts the old cookie out at once: ${kind}`, async (t) => {
    const old = make(t)
    const { visitor } = await newApp(t, old)
    const planted = await old.open({ cart: ['planted'] })
    const [victim, attacker] = [visitor(planted), visitor(planted)]
    await victim.visit()
    await victim.visit('/login')
    isNobody(t, await attacker.visit())
    t.equal((await victim.visit()).userId, 'somebody else')
  })

  t.test(`a revocation of the user reaches old sessions that have not moved yet: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const [first, second] = [await old.open({ userId: 'ann', n: 1 }), await old.open({ userId: 'ann', n: 2 })]
    t.equal((await visitor(first).visit()).userId, 'ann')
    t.equal(await bench.app.sessions.revokeUser('ann'), 1)
    const late = visitor(second)
    t.equal((await late.visit()).userId, null)
    t.equal(late.cookies.size, 0)
    t.strictSame(await bench.app.sessions.list('ann'), [])
    t.equal((await visitor(await old.open({ userId: 'bob' })).visit()).userId, 'bob')
  })

  t.test(`a revocation beside a move leaves no session behind: ${kind}`, async (t) => {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const steps = [
      ['addToIndex', 0],
      ['get', 1],
      ['update', 0],
      ['keepInIndex', 0],
      ['update', 1],
    ] as const
    for (const [name, after] of steps) {
      const userId = `ann-${name}-${after}`
      const cookies = await old.open({ userId })
      const caught = bench.gate.as('slow', () => bench.gate.hold(name, { by: 'slow', after }))
      const slow = visitor(cookies)
      const page = bench.gate.as('slow', () => slow.visit())
      await caught.arrived
      await bench.app.sessions.revokeUser(userId)
      caught.release()
      await page
      t.equal((await slow.visit()).userId, null, `${name} ${after}`)
      t.strictSame(await bench.app.sessions.list(userId), [], `${name} ${after}`)
    }
  })
}

t.test('an old store that fails is a 503, and the retry works', async (t) => {
  for (const method of ['get', 'destroy'] as const) {
    const old = expressSessionApp(t)
    const cookies = await old.open({ userId: 'ann' })
    let isBroken = true
    const from = old.migration()
    const broken = {
      ...from,
      read: async (values: readonly (string | undefined)[]) => {
        const session = await from.read(values)
        const fail = async (): Promise<never> => {
          throw new Error('the old store is down, and says secret things')
        }
        if (session === undefined || !isBroken) return session
        return { ...session, [method === 'get' ? 'load' : 'remove']: fail }
      },
    }
    const { bench, visitor } = await newApp(t, old, { session: { migrateFrom: [broken] } })
    const ann = visitor(cookies)
    const page = await ann.visit()
    t.match(page, { status: 503, code: 'SESSION_STORE_UNAVAILABLE' })
    t.match(bench.takeEvents('store-failure'), [{ operation: 'migrate' }])
    isBroken = false
    t.equal((await ann.visit()).userId, 'ann', method)
  }
})

t.test('an old record that a late request of the old app wrote again lets nobody in', async (t) => {
  const store = memoryOf()
  const old = expressSessionApp(t, store)
  const { bench, visitor } = await newApp(t, old)
  const cookies = await old.open({ userId: 'ann' })
  const [id = ''] = Object.keys((store as unknown as { sessions: Record<string, string> }).sessions)
  const record = await promisify(store.get.bind(store))(id)
  t.equal((await visitor(cookies).visit()).userId, 'ann')
  store.set(id, record as never)
  t.match(await old.read(cookies), { userId: 'ann' })
  bench.clock.advance('5m')
  t.equal((await visitor(cookies).visit()).userId, null)
  t.equal(await old.read(cookies), undefined, 'it is removed again')
})

t.test('the end of all sessions reaches old ones that have not moved, and used ones stay used', async (t) => {
  for (const make of Object.values(APPS)) {
    const old = make(t)
    const { bench, visitor } = await newApp(t, old)
    const [used, unused] = [await old.open({ userId: 'ann' }), await old.open({ userId: 'bob' })]
    const ann = visitor(used)
    t.equal((await ann.visit()).userId, 'ann')
    bench.clock.advance('1m')
    await (
      await bench.app.sessions.revokeAll()
    ).ended
    for (const wait of ['0s', '1m', '1h'] as const) {
      bench.clock.advance(wait)
      t.equal((await ann.visit()).userId, null)
      t.equal((await visitor(used).visit()).userId, null)
      t.equal((await visitor(unused).visit()).userId, null)
    }
  }
})

t.test('a way in that opens after the end of all sessions lets old sessions in', async (t) => {
  for (const make of Object.values(APPS)) {
    const old = make(t)
    const clock = testClock(Date.now() + 600_000)
    const store = memoryStore({ clock })
    const before = await boot(t, () => store)
    await (
      await before.app.sessions.revokeAll()
    ).ended
    const { visitor } = await newApp(t, old, { makeStore: () => store, session: { clock } })
    t.equal((await visitor(await old.open({ userId: 'ann' })).visit()).userId, 'ann')
  }
})
