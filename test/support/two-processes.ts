import type { Test } from 'tap'
import { startAppProcess } from './store-process.ts'

/** Checks what must hold between two processes of one app on one store. */
export async function twoProcesses(t: Test, url: string): Promise<void> {
  // Every request is old enough for a renewal.
  const options = { url, renewalTimeout: '1ms' } as const
  const [one, other] = await Promise.all([startAppProcess(t, options), startAppProcess(t, options)])

  t.test('a logout on one process is a logout on the other, replayed cookies included', async (t) => {
    const { cookie } = await one.request('POST', '/login', undefined, { user: 'ann' })
    t.match((await other.request('GET', '/me', cookie)).body, { user: 'ann' })
    t.equal((await one.request('POST', '/logout', cookie)).status, 200)
    t.match(await other.request('GET', '/me', cookie), {
      status: 200,
      body: { user: null, note: null },
      cookie: '',
    })
    const late = await other.request('POST', '/note', cookie, { note: 'back again' })
    t.match(await one.request('GET', '/me', cookie), { body: { user: null, note: null } })
    t.not(late.cookie, cookie)
  })

  t.test(
    'what one process writes the other reads on the next request, and all who write at once are served',
    async (t) => {
      const { cookie } = await one.request('POST', '/login', undefined, { user: 'ann' })
      for (let note = 0; note < 5; note += 1) {
        await (note % 2 === 0 ? one : other).request('POST', '/note', cookie, { note: String(note) })
        t.match((await (note % 2 === 0 ? other : one).request('GET', '/me', cookie)).body, { note: String(note) })
      }
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? one : other).request('POST', '/note', cookie, { note: 'x' }),
        ),
      )
      t.ok(answers.every(({ status }) => status === 200))
    },
  )

  t.test('a user revoked on one process is nobody on the other from the next request on', async (t) => {
    const user = `bob-${Date.now()}`
    const logins = await Promise.all(
      [one, other, one, other].map((app) => app.request('POST', '/login', undefined, { user })),
    )
    t.strictSame((await one.request('POST', '/revoke', undefined, { user })).body, { ended: 4 })
    for (const { cookie } of logins) {
      t.match((await other.request('GET', '/me', cookie)).body, { user: null })
    }
  })

  t.test('logins that race a revocation on the other process are revoked or refused, never forgotten', async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const user = `carol-${Date.now()}-${round}`
      const [, ...logins] = await Promise.all([
        one.request('POST', '/revoke', undefined, { user }),
        ...Array.from({ length: 4 }, () => other.request('POST', '/login', undefined, { user })),
      ])
      // Logins after the revocation stay, and the next revocation finds every one of them.
      const me = await Promise.all(logins.map(({ cookie }) => one.request('GET', '/me', cookie || undefined)))
      const alive = me.filter(({ body }) => body['user'] === user).length
      t.strictSame((await one.request('POST', '/revoke', undefined, { user })).body, { ended: alive })
    }
  })

  t.test('renewals that race on two processes leave one session, and nobody is thrown out', async (t) => {
    let { cookie } = await one.request('POST', '/login', undefined, { user: 'dan' })
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, index) => (index % 2 ? one : other).request('GET', '/me', cookie)),
      )
      t.ok(answers.every(({ status, body }) => status === 200 && body['user'] === 'dan'))
      const renewed = [...new Set(answers.flatMap((answer) => answer.cookie ?? []))]
      t.ok(
        renewed.every((value) => value !== '' && value.slice(0, 30) === cookie?.slice(0, 30)),
        'the same session',
      )
      t.equal(renewed.length, answers.flatMap((answer) => answer.cookie ?? []).length, 'each asker has its own')
      cookie = renewed.at(-1) ?? cookie
    }
  })

  t.test('a stream on one process ends when the other process ends its session, in any way', async (t) => {
    const user = `eve-${Date.now()}`
    const ways: [method: string, end: (cookie: string) => Promise<unknown>][] = [
      ['logout', (cookie) => one.request('POST', '/logout', cookie)],
      ['revocation', () => one.request('POST', '/revoke', undefined, { user })],
      ['everybody out', () => one.request('POST', '/revoke-all')],
    ]
    for (const [way, end] of ways) {
      const { cookie = '' } = await one.request('POST', '/login', undefined, { user })
      const bystander = await other.request('POST', '/login', undefined, { user: `${user}-other` })
      const [stream, its] = [await other.stream(cookie), await other.stream(bystander.cookie ?? '')]
      await end(cookie)
      t.ok(await stream.ended, way)
      if (way === 'everybody out') t.ok(await its.ended)
      else t.equal(await Promise.race([its.ended, Promise.resolve('open')]), 'open')
    }
  })

  t.test('everybody whom one process sends out is out on the other too, and may come back', async (t) => {
    const user = `fay-${Date.now()}`
    const { cookie = '' } = await other.request('POST', '/login', undefined, { user })
    t.match(await other.request('GET', '/me', cookie), { body: { user } })
    const stream = await other.stream(cookie)
    await one.request('POST', '/revoke-all')
    // The end of the stream is the sign that the other process has heard.
    await stream.ended
    t.match(await other.request('GET', '/me', cookie), { status: 200, body: { user: null } })
    const again = await other.request('POST', '/login', undefined, { user })
    for (const app of [one, other]) t.match(await app.request('GET', '/me', again.cookie), { body: { user } })
  })
}
