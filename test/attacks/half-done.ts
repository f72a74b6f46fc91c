import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone } from '../support/app.ts'
import type { Browser, Handler, Page } from '../support/browser.ts'

const CHANGES: Record<string, Handler> = {
  confirmLogin: (request) => request.confirmLogin(),
  regenerate: (request) => request.session.regenerate(),
  'a second login': async (request) => request.login({ id: String(request.user?.id) }),
}

function fail(): never {
  throw new Error('later')
}

/** Lets a change of id be written and its answer be lost. Then the lock is written, and the index answers no more. */
async function takenBackHalfWay(bench: Bench, browser: Browser, change: Handler): Promise<Page> {
  const written = bench.gate.hold('update')
  const visit = browser.visit(change)
  await written.arrived
  const confirmed = bench.gate.hold('keepInIndex')
  written.lose()
  await confirmed.arrived
  confirmed.fail()
  return visit
}

/** Changes of id that a store left half done, because it stopped answering in the middle. */
export function halfDone(t: Test, makeStore: MakeStore): void {
  for (const [what, change] of Object.entries(CHANGES)) {
    t.test(`${what} that is taken back half way locks nobody out: the next request finishes it`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      t.equal((await takenBackHalfWay(bench, browser, change)).status, 503)
      t.not((await bench.record(handleOf(browser.cookie)))?.heldBack, null, 'no id opens the session now')
      t.equal((await browser.me()).userId, ann.id)
      t.equal((await bench.record(handleOf(browser.cookie)))?.heldBack, null)
      t.equal((await browser.me()).userId, ann.id)
    })

    t.test(`${what} that was taken back half way does not let in a user who was revoked meanwhile`, async (t) => {
      const bench = await boot(t, makeStore)
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      await takenBackHalfWay(bench, browser, change)
      await bench.app.sessions.revokeUser(ann.id)
      t.equal((await browser.me()).userId, null)
      t.strictSame(await bench.living(), [])
    })
  }

  for (const [what, change] of Object.entries(CHANGES)) {
    t.test(`${what} that the store did not write takes nothing of another request back`, async (t) => {
      const bench = await boot(t, makeStore)
      const browser = await bench.loggedIn(someone('ann'))
      const other = bench.browser()
      other.plant(browser.cookie ?? '')
      const caught = bench.gate.as('slow', () => bench.gate.hold('update', { by: 'slow' }))
      const slow = bench.gate.as('slow', () => browser.visit(change))
      await caught.arrived
      t.equal((await other.visit(change)).status, 200)
      const { userId } = await other.me()
      caught.fail()
      t.equal((await slow).status, 503)
      t.equal((await other.me()).userId, userId, 'the new id opens the session')
      t.equal((await browser.me()).userId, null, 'the id before opens nothing')
    })
  }

  t.test('a change from outside of a session that was taken back half way is not lost', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const { sessions } = bench.app
    const changes: Record<string, (handle: string) => Promise<unknown>> = {
      label: (handle) => sessions.rename(handle, 'kitchen', { userId: ann.id }),
      data: (handle) => sessions.update(handle, (data) => ({ ...data, theme: 'dark' })),
      user: () => sessions.updateUser(ann.id, { id: ann.id, role: 'none' } as typeof ann),
    }
    for (const [name, change] of Object.entries(changes)) {
      const browser = await bench.loggedIn(ann)
      const handle = handleOf(browser.cookie)
      await takenBackHalfWay(bench, browser, (request) => request.confirmLogin())
      t.ok(await change(handle), name)
      t.equal((await browser.me()).userId, ann.id)
      const record = await bench.record(handle)
      t.match(`${record?.label} ${record?.data} ${record?.user}`, /kitchen|dark|none/, name)
    }
  })

  t.test('a change from outside beside a failing change of id locks nobody out and is not lost', async (t) => {
    const bench = await boot(t, makeStore)
    for (const [what, change] of Object.entries(CHANGES)) {
      const ann = someone('ann')
      const browser = await bench.loggedIn(ann)
      const handle = handleOf(browser.cookie)
      const wayBack = bench.gate.hold('update', { by: 'failing', after: 1 })
      const write: Handler = async (request, reply) => {
        await change(request, reply)
        Object.assign(request.session, { failed: true })
      }
      const failing = bench.gate.as('failing', () => browser.visit(write, { onSend: fail }))
      await wayBack.arrived
      t.equal(await bench.app.sessions.rename(handle, 'kitchen', { userId: ann.id }), true)
      t.equal(await bench.app.sessions.update(handle, (data) => ({ ...data, theme: 'dark' })), true)
      wayBack.release()
      t.equal((await failing).status, 500)
      t.equal((await browser.me()).userId, ann.id, what)
      const record = await bench.record(handle)
      t.equal(record?.label, 'kitchen', what)
      t.strictSame(JSON.parse(record?.data ?? ''), { theme: 'dark' }, what)
    }
  })

  t.test('a record that no id opens lives no longer than a minute', async (t) => {
    const bench = await boot(t, makeStore)
    const browser = await bench.loggedIn(someone('ann'))
    await takenBackHalfWay(bench, browser, (request) => request.confirmLogin())
    bench.clock.advance('60s')
    t.equal((await browser.me()).userId, null)
    t.strictSame(await bench.living(), [])
  })

  t.test('a session whose cookie nobody has shown gives way to a login after a minute', async (t) => {
    const bench = await boot(t, makeStore, { session: { maxSessions: { limit: 1, onLimit: 'refuse' } } })
    const ann = someone('ann')
    const lost = bench.browser()
    await lost.visit(loginAs(ann, { remember: true }), { isLost: true })
    const browser = bench.browser()
    t.equal((await browser.visit(loginAs(ann))).status, 403)
    bench.clock.advance('60s')
    t.equal((await browser.visit(loginAs(ann))).status, 200)
    t.equal((await browser.me()).userId, ann.id)
    bench.clock.advance('60s')
    t.equal((await bench.browser().visit(loginAs(ann))).status, 403, 'a session that was shown keeps its place')
    t.equal((await browser.me()).userId, ann.id)
  })

  t.test('a list of devices is a copy, and changing it changes no session', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browser = await bench.loggedIn(ann)
    const [info] = await bench.app.sessions.list(ann.id)
    Object.assign(info?.device ?? {}, { ip: 'hidden' })
    await browser.me()
    t.match(await bench.app.sessions.list(ann.id), [{ device: { ip: '127.0.0.1' } }])
  })
}
