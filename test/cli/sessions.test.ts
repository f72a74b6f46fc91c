import t from 'tap'
import { startRedis } from '../support/servers/redis.ts'
import { addSession, namedStores } from './stores.ts'
import type { OpenedStore } from '../../lib/cli/opened-store.ts'
import { userSessions } from '../../lib/cli/opened-store.ts'
import { pageOf } from '../../lib/cli/sessions.ts'
import { storedName } from '../../lib/session/namespace.ts'
import { besideOf, leavingOf } from '../../lib/session/places.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { betterSqlite } from '../support/sqlite.ts'
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
          label: null,
          isDeviceBound: true,
          acting: null,
          current: false,
        },
      ],
    })
  })

  t.test(`${one.name}: nobody is a user without sessions`, async (t) => {
    t.match(await type(['sessions', '--user', 'nobody', ...where]), {
      code: 0,
      out: '"nobody" has no sessions.\n',
      err: /^Note: .*--namespace/,
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
    t.match(await revoke(), { code: 0, out: 'Ended 0 sessions of "erin".\n', err: /^Note: .*--namespace/ })
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

  t.test(`${one.name}: one session of an app with a namespace is ended, and leaves no entry`, async (t) => {
    const acting = {
      ...{ userId: 'ann', user: '{"id":"ann"}', authHash: null, authenticatedAt: 0, authCheckedAt: 0, userAt: 0 },
      ...{ since: Date.now(), reason: 'a call', data: '{}', remember: false, lifetimes: null, methods: [] },
      absoluteDeadline: Date.now() + 60_000,
    }
    const { handle } = await addSession(one, storedName('shop', 'bob'), { acting })
    const names = ['ann', besideOf('bob')].map((name) => storedName('shop', name))
    for (const name of names) await one.store.addToIndex(name, handle, Date.now() + 60_000)
    t.match(await type(['revoke', `--handle=${handle}`, ...where]), { out: 'Ended 1 session.\n' })
    for (const name of names) t.strictSame(await one.store.listIndex(name), [], JSON.stringify(name))
  })

  t.test(`${one.name}: a note that a command leaves lives as long as a session of any app`, async (t) => {
    await userSessions(one.store as OpenedStore['store']).places.note('noted', 'A'.repeat(22))
    const [note] = await one.store.listIndex(leavingOf('noted'))
    t.ok(Number(note?.expiresAt) > Date.now() + 399 * 86_400_000)
  })

  t.test(`${one.name}: all sessions are listed page by page, for people and for programs, and counted`, async (t) => {
    const added = await Promise.all(Array.from({ length: 7 }, (_, at) => addSession(one, `all-${at}`)))
    const anonymous = await addSession(one, 'nobody', {
      ...{ userId: null, user: null, authHash: null, authenticatedAt: null, device: null },
    })
    const handles = new Set<string>()
    const next: string[] = []
    let pages = 0
    do {
      const { code, out } = await type(['sessions', '--all', '--limit', '3', '--format', 'json', ...next, ...where])
      t.equal(code, 0)
      t.notMatch(out, /[^\n\u0020-\u007e]/, 'nothing that a terminal obeys')
      const page = JSON.parse(out) as { sessions: { handle: string; userId: string | null }[]; next: string | null }
      for (const { handle, userId } of page.sessions) {
        handles.add(handle)
        if (handle === anonymous.handle) t.equal(userId, null)
      }
      next.splice(0, 2, ...(page.next === null ? [] : [`--after=${page.next}`]))
      pages += 1
    } while (next.length > 0)
    for (const { handle } of [...added, anonymous]) t.ok(handles.has(handle))
    t.ok(one.name === 'Redis' || pages > 2)
    const first = await type(['sessions', '--all', '--limit', '3', ...where])
    t.match(first.out, /^HANDLE +LAST SEEN +ENDS UNLESS USED +USER +FROM\n/)
    const whole = await type(['sessions', '--all', '--limit', '1000', ...where])
    t.match(whole.out, `${anonymous.handle}  ${new Date(anonymous.lastSeenAt).toISOString()}`)
    t.notMatch(whole.out, 'There are more')
    t.strictSame(await type(['sessions', '--count', ...where]), { code: 0, out: `${handles.size}\n`, err: '' })
    t.match(JSON.parse((await type(['sessions', '--count', '--format', 'json', ...where])).out), {
      count: handles.size,
    })
  })

  t.test(`${one.name}: everybody is logged out, or all who logged in before an instant`, async (t) => {
    const now = Date.now()
    const hour = 3_600_000
    const old = await Promise.all(
      Array.from({ length: 60 }, () => addSession(one, 'old', { authenticatedAt: now - hour })),
    )
    const fresh = await addSession(one, 'fresh', { authenticatedAt: now - hour / 4 })
    const anonymous = await addSession(one, 'nobody', {
      ...{ userId: null, user: null, authHash: null, authenticatedAt: null, createdAt: now - hour },
    })
    const before = new Date(now - hour / 2).toISOString()
    const some = await type(['revoke', '--all', '--before', before, ...where])
    t.match(some, { code: 0, out: /^Ended \d+ sessions\.\n$/, err: '' })
    for (const { handle } of [...old, anonymous]) t.equal(await one.store.get(handle), undefined)
    t.strictSame(await one.store.listIndex('old'), [])
    t.strictSame(await one.store.get(fresh.handle), fresh)
    t.match(await type(['revoke', '--all', '--before', before, ...where]), { out: 'Ended 0 sessions.\n' })
    t.match(await type(['revoke', '--all', ...where]), { code: 0, out: /^Ended \d+ sessions?\.\n$/ })
    t.equal((await type(['sessions', '--count', ...where])).out, '0\n')
    t.match((await type(['sessions', '--all', ...where])).out, 'No sessions on this page.')
  })

  t.test(`${one.name}: everybody is logged out, also whom a cutoff ahead has spared`, async (t) => {
    const now = Date.now()
    const sparedAt = await one.store.raiseCutoff(now + 30_000)
    const spared = await addSession(one, 'ann', { authenticatedAt: now - 1_000, sparedAt })
    t.match(await type(['revoke', '--all', ...where]), { code: 0, out: /^Ended \d+ sessions?\.\n$/ })
    t.equal(await one.store.get(spared.handle), undefined)
  })

  t.test(`${one.name}: everybody is logged out, also who logged in before the clock was set back`, async (t) => {
    const late = await addSession(one, 'ann', { authenticatedAt: Date.now() + 3_600_000 })
    await type(['revoke', '--all', '--before', new Date(Date.now() - 1_000).toISOString(), ...where])
    t.ok(await one.store.get(late.handle), 'the login did not come before')
    t.match(await type(['revoke', '--all', ...where]), { code: 0, out: /^Ended \d+ sessions?\.\n$/ })
    t.equal(await one.store.get(late.handle), undefined)
  })

  t.test(`${one.name}: what does not fit together is refused before anything is done`, async (t) => {
    const wrong: [argv: string[], message: RegExp][] = [
      [['sessions'], /one of the three/],
      [['sessions', '--user', 'ann', '--all'], /one of the three/],
      [['sessions', '--count', '--limit', '7'], /go with --all/],
      [['sessions', '--all', '--limit', '0'], /from 1 to 1000/],
      [['sessions', '--all', '--limit', '1e2'], /from 1 to 1000/],
      [['sessions', '--all', '--limit', '1001'], /from 1 to 1000/],
      [['revoke', '--all', '--user', 'ann'], /one of the three/],
      [['revoke', '--user', 'ann', '--before', '2026-05-01T12:00:00Z'], /goes with --all/],
      [['sessions', '--user', besideOf('ann')], /cannot begin with the character U\+0001/],
      [['revoke', '--user', leavingOf('ann')], /cannot begin with the character U\+0001/],
      [['revoke', '--all', '--before', '2026-05-01'], /time zone/],
      [['revoke', '--all', '--before', '2026-05-01T12:00:00'], /time zone/],
      [['revoke', '--all', '--before', '2026-13-01T12:00:00Z'], /time zone/],
      [['revoke', '--all', '--before', '2999-05-01T12:00:00Z'], /in the future/],
    ]
    const kept = await addSession(one, 'kept')
    for (const [argv, message] of wrong) {
      const { code, out, err } = await type([...argv, ...where])
      t.equal(code, 2, argv.join(' '))
      t.equal(out, '')
      t.match(err, message, argv.join(' '))
    }
    t.strictSame(await one.store.get(kept.handle), kept)
  })
}

t.test('a place that no page has named is refused', async (t) => {
  const { url } = await startRedis(t)
  t.match(await type(['sessions', '--all', '--after', 'x', '--store', url]), { code: 2, err: /the page before/ })
})

t.test('a store that fails is no mistake of whoever typed the place of a page', async (t) => {
  const database = betterSqlite.open(':memory:')
  const store = sqliteStore({ database })
  t.strictSame((await pageOf(store, undefined, 5)).records, [])
  database.close()
  await t.rejects(pageOf(store, undefined, 5), /not open/)
})
