import type { Test } from 'tap'
import type { SessionRecord } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone } from '../support/app.ts'
import type { Browser, Handler, SendOptions } from '../support/browser.ts'

/** Fields that no request may change without a proof of who the user is. */
const GAINS = ['authenticatedAt', 'absoluteDeadline', 'remember', 'isForked', 'userId', 'createdAt', 'epoch'] as const

type Gain = Pick<SessionRecord, (typeof GAINS)[number]>

interface Act {
  readonly handler: Handler
  readonly options?: SendOptions
  /** Tells whether the request is a use of the session, which moves the idle deadline. */
  readonly isUse: boolean
}

const PASSIVE = { headers: { 'sec-purpose': 'prefetch' } }

const ACTS: Readonly<Record<string, Act>> = {
  'req.updateUser': { handler: (request) => request.updateUser({ ...request.requireUser() }), isUse: true },
  'sessions.updateUser': {
    handler: (request) => request.server.sessions.updateUser(request.requireUser().id, { ...request.requireUser() }),
    isUse: true,
  },
  'session.update': { handler: (request) => request.session.update('count', () => 1), isUse: true },
  'a passive request': { handler: () => undefined, options: PASSIVE, isUse: false },
  'a passive touch': { handler: (request) => request.session.touch(), options: PASSIVE, isUse: false },
  'a passive save': { handler: (request) => request.session.save(), options: PASSIVE, isUse: false },
  'a passive write': {
    handler: (request) => void Object.assign(request.session, { n: Math.random() }),
    options: PASSIVE,
    isUse: false,
  },
  'a passive session.update': {
    handler: (request) => request.session.update('count', () => Math.random()),
    options: PASSIVE,
    isUse: false,
  },
  'a passive req.updateUser': {
    handler: (request) => request.updateUser({ ...request.requireUser() }),
    options: PASSIVE,
    isUse: false,
  },
}

async function recordOf(bench: Bench, browser: Browser): Promise<SessionRecord> {
  const record = await bench.record(handleOf(browser.cookie))
  if (record === undefined) throw new Error('no record')
  return record
}

function gainOf(record: SessionRecord): Gain {
  return Object.fromEntries(GAINS.map((name) => [name, record[name]])) as unknown as Gain
}

/** Tests that a login or a confirmation alone makes a login recent, or a session longer. */
export function freshness(t: Test, makeStore: MakeStore): void {
  for (const [name, { handler, options, isUse }] of Object.entries(ACTS)) {
    t.test(`${name} makes no login recent and no session longer`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.loggedIn(someone('ann'))
      const before = await recordOf(bench, browser)
      for (let round = 0; round < 3; round += 1) {
        bench.clock.advance('9m')
        t.equal((await browser.visit(handler, options)).status, 200)
      }
      const after = await recordOf(bench, browser)
      t.same(gainOf(after), gainOf(before))
      if (!isUse) t.equal(after.idleDeadline, before.idleDeadline)
      bench.clock.advance('3m')
      t.equal((await browser.me()).userId !== null, isUse)
    })
  }

  t.test('a session that is kept busy by updates ends at its absolute deadline', async (t) => {
    const bench = await boot(t, makeStore)
    const user = someone('ann')
    const browser = await bench.loggedIn(user)
    for (let round = 0; round < 36; round += 1) {
      bench.clock.advance('20m')
      await browser.visit((request) => request.updateUser(user))
      await browser.visit((request) => request.session.update('n', () => round))
    }
    t.equal((await browser.me()).userId, null)
  })

  t.test('an update of the user makes nobody somebody else', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    const browser = await bench.loggedIn(ann)
    t.equal((await browser.visit((request) => request.updateUser(bob))).status, 500)
    await t.rejects(bench.app.sessions.updateUser(ann.id, bob), { code: 'SESSION_USER_INVALID' })
    const anonymous = await bench.withData({ a: 1 })
    t.equal((await anonymous.visit((request) => request.updateUser(ann))).status, 401)
    t.equal((await browser.me()).userId, ann.id)
    t.equal((await anonymous.me()).userId, null)
  })

  t.test('an update of the user beside a revocation or a switch of users brings nobody back', async (t) => {
    const bench = await boot(t, makeStore)
    const [ann, bob] = [someone('ann'), someone('bob')]
    for (let round = 0; round < 5; round += 1) {
      const browsers = await Promise.all([bench.loggedIn(ann), bench.loggedIn(ann)])
      const { sessions } = bench.app
      await Promise.all([
        sessions.updateUser(ann.id, { ...ann }).catch(() => undefined),
        sessions.revokeUser(ann.id),
        sessions.updateUser(ann.id, { ...ann }).catch(() => undefined),
      ])
      for (const browser of browsers) t.equal((await browser.me()).userId, null)
      const switched = await bench.loggedIn(ann)
      await Promise.all([
        switched.visit(loginAs(bob)),
        sessions.updateUser(ann.id, { ...ann }),
        sessions.updateUser(bob.id, { ...bob }),
      ])
      t.equal((await switched.me()).userId, bob.id)
      t.same(await sessions.list(ann.id), [])
      await sessions.revokeUser(bob.id)
    }
  })
}
