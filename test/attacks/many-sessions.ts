import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone } from '../support/app.ts'
import type { Operation } from '../support/gate-store.ts'

const COUNT = 330

/** Returns the most operations that were under way at once. */
function mostAtOnce(operations: readonly Operation[]): number {
  const changes = operations.flatMap(({ startedAt, endedAt }) => [
    { at: startedAt, by: 1 },
    { at: endedAt, by: -1 },
  ])
  let running = 0
  let most = 0
  for (const { by } of changes.toSorted((a, b) => a.at - b.at)) {
    running += by
    most = Math.max(most, running)
  }
  return most
}

/** Checks what an actor asked of the store: a few writes at a time, and reads of many records where the store can. */
function isBounded(t: Test, { gate, readsMany }: Bench, actor: string, reads: number): void {
  const operations = gate.operations.filter((operation) => operation.actor === actor)
  const many = operations.filter(({ name }) => name === 'getMany')
  t.ok(mostAtOnce(operations) <= 8, `${mostAtOnce(operations)} operations at once`)
  t.ok(many.every(({ args: [handles] }) => (handles as string[]).length <= 100))
  if (readsMany) {
    t.equal(many.length, reads * Math.ceil(COUNT / 100))
    t.ok(operations.filter(({ name }) => name === 'get').length <= 2, 'no session is read by itself')
  }
}

export function manySessions(t: Test, makeStore: MakeStore): void {
  t.test('many sessions of a user are listed and ended with bounded work', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    const browsers = Array.from({ length: COUNT }, () => bench.browser())
    for (const browser of browsers) await browser.visit(loginAs(ann))
    const [first, second] = browsers
    if (first === undefined || second === undefined) throw new Error('no browser')
    const { sessions } = bench.app

    const listed = await bench.gate.as('list', () => sessions.list(ann.id))
    t.strictSame(new Set(listed.map(({ handle }) => handle)).size, COUNT)
    isBounded(t, bench, 'list', 1)

    bench.takeEvents('revoke')
    const except = handleOf(second.cookie)
    await bench.gate.as('everywhere', () => first.visit((request) => request.logout({ others: true })))
    t.strictSame(await bench.indexed(ann), [handleOf(first.cookie)])
    t.equal(bench.takeEvents('revoke').length, COUNT - 1)
    isBounded(t, bench, 'everywhere', 1)
    t.equal(await sessions.revokeUser(ann.id, { except }), 1)
  })

  t.test('a revocation of many sessions that fails begins nothing further, and can be repeated', async (t) => {
    const bench = await boot(t, makeStore)
    const ann = someone('ann')
    for (let count = 0; count < 20; count += 1) await bench.loggedIn(ann)
    const caught = bench.gate.hold('delete', { by: 'revoke' })
    const revoking = bench.gate.as('revoke', () => bench.app.sessions.revokeUser(ann.id))
    await caught.arrived
    caught.fail()
    await t.rejects(revoking, { code: 'SESSION_STORE_UNAVAILABLE' })
    await bench.app.sessions.revokeUser(ann.id)
    t.strictSame(await bench.indexed(ann), [])
  })
}
