import t from 'tap'
import { addSession, namedStores } from './stores.ts'
import { type } from './terminal.ts'

for (const one of await namedStores(t)) {
  const where = ['--store', one.url]

  t.test(
    `${one.name}: the sessions of a user are listed, the most recently used first, without a secret`,
    async (t) => {
      const now = Date.now()
      const older = await addSession(one, 'ann', { lastSeenAt: now - 5_000, remember: false, device: null })
      const newer = await addSession(one, 'ann', { lastSeenAt: now - 1_000, remember: true })
      const other = await addSession(one, 'bob')
      const { code, out, err } = await type(['sessions', '--user', 'ann', ...where])
      t.equal(code, 0)
      t.equal(err, '')
      t.ok(out.indexOf(newer.handle) < out.indexOf(older.handle))
      t.notMatch(out, other.handle)
      t.match(out, new Date(older.lastSeenAt).toISOString())
      t.match(out, new Date(newer.idleDeadline).toISOString())
      for (const secret of [newer.secretHash, newer.data, newer.authHash ?? '-', 'cart']) t.notMatch(out, secret)
    },
  )

  t.test(`${one.name}: --format json is the same for programs`, async (t) => {
    const record = await addSession(one, 'carol', { device: { userAgent: 'Firefox', ip: '127.0.0.1' } })
    const { code, out } = await type(['sessions', '--user', 'carol', '--format', 'json', ...where])
    t.equal(code, 0)
    t.strictSame(JSON.parse(out), {
      schemaVersion: 1,
      sessions: [
        {
          handle: record.handle,
          userId: 'carol',
          createdAt: new Date(record.createdAt).toISOString(),
          authenticatedAt: new Date(record.authenticatedAt ?? 0).toISOString(),
          lastSeenAt: new Date(record.lastSeenAt).toISOString(),
          idleDeadline: new Date(record.idleDeadline).toISOString(),
          absoluteDeadline: new Date(record.absoluteDeadline).toISOString(),
          remember: true,
          device: { userAgent: 'Firefox', ip: '127.0.0.1' },
        },
      ],
    })
  })

  t.test(`${one.name}: nobody is a user without sessions`, async (t) => {
    t.strictSame(await type(['sessions', '--user', 'nobody', ...where]), {
      code: 0,
      out: '"nobody" has no sessions.\n',
      err: '',
    })
  })

  t.test(`${one.name}: what a client says of itself cannot write to the terminal`, async (t) => {
    const hostile = '\u001b]0;pwned\u0007\u001b[2J\r\n\u202eevil\u009b31m'
    await addSession(one, 'dave\u001b[1m', { device: { userAgent: hostile, ip: hostile } })
    const { out } = await type(['sessions', '--user', 'dave\u001b[1m', ...where], { isTerminal: true })
    t.match(out, 'pwned')
    t.notMatch(out, /[^\n\u0020-\u007e]/)
    t.notMatch((await type(['sessions', '--user', 'x\u001b[1m', ...where])).out, '\u001b')
  })

  t.test(`${one.name}: the sessions of a user are ended from outside, and only theirs`, async (t) => {
    const ended = [await addSession(one, 'erin'), await addSession(one, 'erin')]
    const kept = await addSession(one, 'frank')
    const revoke = (): ReturnType<typeof type> => type(['revoke', '--user', 'erin', ...where])
    t.strictSame(await revoke(), { code: 0, out: 'Ended 2 sessions of "erin".\n', err: '' })
    t.strictSame(await revoke(), { code: 0, out: 'Ended 0 sessions of "erin".\n', err: '' })
    for (const { handle } of ended) t.equal(await one.store.get(handle), undefined)
    t.strictSame(await one.store.listIndex('erin'), [])
    t.strictSame(await one.store.get(kept.handle), kept)
    await addSession(one, 'erin')
    t.match(await revoke(), { out: 'Ended 1 session of "erin".\n' })
  })

  t.test(`${one.name}: one session is ended by its handle`, async (t) => {
    const ended = await addSession(one, 'grace')
    const kept = await addSession(one, 'grace')
    const anonymous = await addSession(one, 'nobody', {
      userId: null,
      user: null,
      authHash: null,
      authenticatedAt: null,
    })
    const revoke = (handle: string): ReturnType<typeof type> => type(['revoke', `--handle=${handle}`, ...where])
    for (const { handle } of [ended, anonymous]) {
      t.strictSame(await revoke(handle), { code: 0, out: 'Ended 1 session.\n', err: '' })
      t.equal(await one.store.get(handle), undefined)
      t.strictSame(await revoke(handle), { code: 0, out: 'There is no session with this handle.\n', err: '' })
    }
    t.strictSame(
      (await one.store.listIndex('grace')).map(({ handle }) => handle),
      [kept.handle],
    )
  })
}
