import t from 'tap'
import { OLD_APPS } from './old-apps.ts'
import { isNobody, newApp } from './new-app.ts'

for (const [library, make] of Object.entries(OLD_APPS)) {
  t.test(`a live session of ${library} goes on with its user and its data`, async (t) => {
    const old = await make(t)
    const { bench, visitor } = await newApp(t, old)
    const ann = visitor(await old.open({ userId: 'ann', cart: ['tea'] }))
    const before = new Map(ann.cookies)
    const page = await ann.visit()
    t.match(page, { status: 200, userId: 'ann', data: { userId: 'ann', cart: ['tea'] } })
    t.equal(page.headers['cache-control'], 'no-store')
    t.strictSame([...ann.cookies.keys()], ['session'], 'the new cookie takes the place of the old ones')
    if (old.isStored) t.equal(await old.read(before), undefined, 'the old record is gone')
    t.match(bench.takeEvents('migrate'), [{ handle: page.handle, userId: 'ann', from: library }])

    const again = await ann.visit()
    t.match(again, { userId: 'ann', handle: page.handle })
    t.strictSame(again.setCookie, [], 'an ordinary session from here on')
    t.strictSame(
      (await bench.app.sessions.list('ann')).map(({ handle }) => handle),
      [page.handle],
      'device lists show it',
    )
    t.equal((await ann.visit('/sudo')).code, 'SESSION_LOGIN_TOO_OLD', 'nobody knows when the user logged in')
    t.equal(await bench.app.sessions.revokeUser('ann'), 1)
    t.equal((await ann.visit()).userId, null)
  })

  t.test(`parallel first requests with one session of ${library} reach one new session`, async (t) => {
    const old = await make(t)
    const { bench, visitor, living } = await newApp(t, old)
    const ann = visitor(await old.open({ userId: 'ann' }))
    const copies = Array.from({ length: 12 }, () => ann.copy())
    const pages = await Promise.all(copies.map((copy) => copy.visit()))
    t.strictSame(new Set(pages.map(({ userId }) => userId)), new Set(['ann']))
    t.equal(new Set(pages.map(({ handle }) => handle)).size, 1)
    t.equal(new Set(copies.map(({ cookies }) => cookies.get('session'))).size, 12, 'each has an id of its own')
    t.equal(bench.takeEvents('migrate').length, 1)
    t.equal((await bench.indexed({ id: 'ann' })).length, 1)
    t.equal((await living()).length, 2, 'the session and the mark')
    // A browser keeps whichever id came last.
    for (const copy of copies.slice(0, 3)) t.equal((await copy.visit()).userId, 'ann')
  })

  t.test(`a cookie of ${library} leads to the new session for 30 seconds, and nowhere later`, async (t) => {
    const old = await make(t)
    const { bench, visitor } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann' })
    const ann = visitor(cookies)
    const { handle } = await ann.visit()
    bench.clock.advance('29s')
    t.match(await visitor(cookies).visit(), { userId: 'ann', handle })
    bench.clock.advance('1s')
    for (const wait of ['0s', '5m', '20m'] as const) {
      bench.clock.advance(wait)
      const late = visitor(cookies)
      isNobody(t, await late.visit(), `${wait} later`)
      t.equal(late.cookies.size, 0, 'the old cookie is cleared')
      t.equal((await ann.visit()).userId, 'ann', 'the owner goes on')
    }
  })

  t.test(`a cookie that ${library} would refuse leads nowhere`, async (t) => {
    const old = await make(t)
    const { bench, visitor, living } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann' })
    for (const [name, value] of cookies) {
      const forgeries = [
        '',
        'x',
        '%',
        '%E0%A4%A',
        `${value}x`,
        value.slice(0, -1),
        `x${value}`,
        value.slice(1),
        `s:${value}`,
        flipped(value),
        value.toUpperCase(),
        'a'.repeat(9000),
      ]
      for (const forged of forgeries) {
        // Some encodings of the same bytes are as good as the one that the library wrote.
        if ((await old.read(new Map([...cookies, [name, forged]]))) !== undefined) continue
        const page = await visitor(new Map([...cookies, [name, forged]])).visit()
        isNobody(t, page, `${name}: ${forged.slice(0, 20)}`)
      }
      const both = `${name}=${value}; ${name}=x`
      const page = await visitor(new Map()).visit('/me', { headers: { cookie: both } })
      t.equal(page.userId, null, 'two cookies of one name')
    }
    t.strictSame(bench.takeEvents('migrate'), [])
    t.strictSame(await living(), [])
  })

  t.test(`a session of ${library} enters no longer than until`, async (t) => {
    const old = await make(t)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const { bench, visitor } = await newApp(t, old, { migration: { until } })
    const [first, second] = [await old.open({ userId: 'ann' }), await old.open({ userId: 'bob' })]
    t.equal((await visitor(first).visit()).userId, 'ann')
    bench.clock.advance('61m')
    const late = visitor(second)
    t.equal((await late.visit()).userId, null)
    t.strictSame(late.cookies, second, 'the old cookie is left alone')
  })

  t.test(`with keepOld a session of ${library} works in both apps, and enters once`, async (t) => {
    const old = await make(t)
    const { bench, visitor } = await newApp(t, old, { migration: { keepOld: true } })
    const cookies = await old.open({ userId: 'ann' })
    const ann = visitor(cookies)
    t.equal((await ann.visit()).userId, 'ann')
    t.match(await old.read(ann.cookies), { userId: 'ann' })
    t.ok(ann.cookies.has('session'))
    bench.clock.advance('31s')
    t.equal((await ann.visit()).userId, 'ann')
    await ann.visit('/logout')
    t.match(await old.read(ann.cookies), { userId: 'ann' })
    t.equal((await ann.visit()).userId, null, 'a logout is not undone by the old cookie')
    bench.clock.advance('8h')
    t.equal((await visitor(cookies).visit()).userId, null)
  })

  t.test(`an anonymous session of ${library} keeps its data`, async (t) => {
    const old = await make(t)
    const { bench, visitor } = await newApp(t, old)
    const guest = visitor(await old.open({ cart: ['tea'] }))
    t.match(await guest.visit(), { userId: null, data: { cart: ['tea'] } })
    t.match(await guest.visit(), { userId: null, data: { cart: ['tea'] } })
    t.match(bench.takeEvents('migrate'), [{ userId: null }])
  })
}

/** Returns a text with one letter changed in the middle. */
function flipped(value: string): string {
  const middle = Math.floor(value.length / 2)
  return value.slice(0, middle) + (value[middle] === 'A' ? 'B' : 'A') + value.slice(middle + 1)
}
