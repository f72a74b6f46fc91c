import t from 'tap'
import { readBinding, writeBinding } from '../../../lib/session/device-bound/binding.ts'
import { refreshDevice } from '../../../lib/session/device-bound/refresh.ts'
import type { RefreshAnswer } from '../../../lib/session/device-bound/refresh.ts'
import { newHandle, parentOf } from '../../../lib/session/id.ts'
import type { PresentedId } from '../../../lib/session/id.ts'
import { GRACE } from '../../../lib/session/verdict.ts'
import { Device } from '../../support/device.ts'
import { actingAs } from '../records.ts'
import type { BoundWorld } from './bound-world.ts'
import { boundWorld, CLIENT, EPOCH, keyOf, shownBinding } from './bound-world.ts'

type Ask = (id: PresentedId, jws?: string, bindingId?: string) => Promise<RefreshAnswer>

const asker =
  ({ engine, proofs }: BoundWorld): Ask =>
  (id, jws = '', bindingId = '') =>
    refreshDevice(engine, proofs, { id, jws, bindingId, client: CLIENT })

t.test('an id of a login before is asked to come again during the grace, and every other end is an end', async (t) => {
  const it = await boundWorld(t)
  const { session, idOf, key, clock, told, asked } = it
  const ask = asker(it)
  const { binding, deviceKey } = shownBinding(key)
  const { record } = await session({ deviceKey })
  const { handle } = record
  asked()
  const [ended, later] = [{ kind: 'ended' }, { kind: 'later' }]
  t.strictSame(await ask(idOf(handle, EPOCH - 1)), later)
  t.strictSame(await ask(idOf(handle, EPOCH + 1)), ended, 'an id of a login to come')
  clock.set(record.rotatedAt + GRACE - 1)
  t.strictSame(await ask(idOf(handle, EPOCH - 1)), later)
  clock.set(record.rotatedAt + GRACE)
  t.strictSame(await ask(idOf(handle, EPOCH - 1)), ended)
  t.strictSame(await ask(idOf(newHandle(), EPOCH)), ended, 'a session that is not there')
  t.strictSame(await ask(idOf(handle, EPOCH), '', newHandle()), ended, 'another binding')
  t.match(await ask(idOf(handle, EPOCH), '', binding.id), { kind: 'challenge' })
  const unbound = await session()
  t.strictSame(await ask(unbound.id), ended, 'a session that is not bound')
  t.notOk(asked().includes('update'))
  t.strictSame(told(), [])
})

t.test('a refresh without a proof that counts gets a challenge, and changes nothing', async (t) => {
  const it = await boundWorld(t)
  const { session, proofs, key, device, clock, store, told } = it
  const ask = asker(it)
  const previousSeed = newHandle()
  const used = device.proof(proofs.challenge('x', shownBinding(key).binding, clock()))
  const binding = { ...shownBinding(key).binding, previousSeed }
  const { record, id } = await session({ deviceKey: writeBinding(binding) })
  const { handle } = record
  const challenge = proofs.challenge(handle, binding, clock())
  const failed = { type: 'proof-failed', handle, userId: 'ann', device: record.device }
  const client = { userAgent: 'a browser', ip: '192.0.2.7' }
  for (const [what, jws, events] of [
    ['no proof', '', []],
    ['a proof of another key', new Device().proof(challenge), [{ ...failed, reason: 'signature', client }]],
    ['the same within a minute', new Device().proof(challenge), []],
    ['a challenge that was never made', used, []],
  ] as const) {
    t.strictSame(await ask(id, jws), { kind: 'challenge', bindingId: binding.id, challenge }, what)
    t.strictSame(told(), events, what)
  }
  t.strictSame(await store.get(handle), record)
})

t.test('a proof counts once, also over the previous challenge, and a replay is told', async (t) => {
  const it = await boundWorld(t)
  const { session, proofs, key, device, clock, told } = it
  const ask = asker(it)
  const { binding, deviceKey } = shownBinding(key)
  const { id, record } = await session({ ...actingAs('ann', 'staff'), deviceKey })
  const { handle } = id
  const challenge = proofs.challenge(handle, binding, clock())
  const [first, parallel] = [device.proof(challenge), device.proof(challenge)]
  const both = { handle, userId: 'ann', actorId: 'staff' }
  for (const jws of [first, parallel]) {
    t.match(await ask(id, jws), { kind: 'refreshed', cookie: undefined })
    t.strictSame(told(), [{ type: 'refreshed', ...both }])
  }
  for (const jws of [first, parallel]) t.match(await ask(id, jws), { kind: 'challenge' })
  const client = { userAgent: 'a browser', ip: '192.0.2.7' }
  t.strictSame(told(), [{ type: 'proof-failed', ...both, reason: 'replayed', device: record.device, client }])
})

t.test('a proof makes its id the one in use, and brings a bound cookie and the next challenge', async (t) => {
  const it = await boundWorld(t)
  const { session, proofs, key, device, clock, store, idOf, asked } = it
  const { binding, deviceKey } = shownBinding(key)
  const { record } = await session({ deviceKey })
  const { handle, version } = record
  const id = idOf(handle, EPOCH, { generation: 8, issuedAt: clock() - 5_000, parent: parentOf(record.secretHash) })
  asked()
  const answer = await asker(it)(id, device.proof(proofs.challenge(handle, binding, clock())), binding.id)
  t.strictSame(asked(), ['get', 'update'])
  if (answer.kind !== 'refreshed') throw new Error(answer.kind)
  const now = await store.get(handle)
  const { secretHash, generation, issuedAt: rotatedAt, parent } = id
  const learned = { secretHash, generation, rotatedAt, parent, shownAt: clock(), isTied: true, headAt: clock() }
  t.strictSame(now, { ...record, ...learned, deviceKey: now?.deviceKey, version: version + 1 })
  const next = readBinding(now?.deviceKey ?? '')
  t.match(next, { id: binding.id, key, isShown: true, previousSeed: binding.seed })
  t.equal(answer.cookie, undefined)
  t.equal(answer.grant.bindingId, binding.id)
  t.equal(proofs.judgeCookie(answer.grant.cookieValue, handle, binding.id, clock()), 'valid')
  t.equal(proofs.matchChallenge(answer.grant.challenge, handle, next, clock()), 'open')
})

t.test('an id that is due is renewed by a proof, for as long as the login is remembered', async (t) => {
  const it = await boundWorld(t)
  const { engine, session, proofs, key, device, clock, told } = it
  const { binding, deviceKey } = shownBinding(key)
  const { renewalTimeout } = engine.settings
  for (const [age, remember] of [
    [renewalTimeout - 1, true],
    [renewalTimeout, true],
    [renewalTimeout, false],
  ] as const) {
    const { id, record } = await session({ deviceKey, remember, rotatedAt: clock() - age })
    const { handle } = id
    const answer = await asker(it)(id, device.proof(proofs.challenge(handle, binding, clock())))
    if (answer.kind !== 'refreshed') throw new Error(answer.kind)
    const refreshed = { type: 'refreshed', handle, userId: 'ann' }
    if (age < renewalTimeout) {
      t.strictSame([answer.cookie, told()], [undefined, [refreshed]])
      continue
    }
    t.strictSame(told(), [refreshed, { type: 'renew', handle }])
    if (answer.cookie?.kind !== 'set') throw new Error('no cookie')
    const { value, ...rest } = answer.cookie
    const expiresAt = remember ? record.absoluteDeadline : undefined
    t.strictSame(rest, { kind: 'set', expiresAt, renewedAt: clock(), binds: undefined })
    const lineage = { generation: record.generation + 1, issuedAt: clock(), parent: parentOf(record.secretHash) }
    t.match(engine.ids.read(value), { handle, epoch: EPOCH, ...lineage })
  }
})

t.test('what comes between the read and the write decides: a logout, a use, another binding', async (t) => {
  const it = await boundWorld(t)
  const { session, proofs, key, device, clock, store, gate, told } = it
  const { binding, deviceKey } = shownBinding(key)
  const other = { ...shownBinding(keyOf(new Device())).binding, id: binding.id, seed: binding.seed }
  for (const [between, kind, type] of [
    [undefined, 'ended', undefined],
    [{ data: '{"n":1}' }, 'refreshed', 'refreshed'],
    [{ deviceKey: writeBinding(other) }, 'challenge', 'proof-failed'],
    [{ deviceKey: null }, 'ended', undefined],
  ] as const) {
    const { id, record } = await session({ deviceKey })
    const { handle, version } = record
    const write = gate.hold('update')
    const answer = asker(it)(id, device.proof(proofs.challenge(handle, binding, clock())))
    await write.arrived
    if (between === undefined) await store.delete(handle)
    else await store.update({ ...record, ...between, version: version + 1 }, version)
    write.release()
    t.equal((await answer).kind, kind)
    const events = told()
    t.equal(events.length, type === undefined ? 0 : 1)
    if (type !== undefined) t.match(events, [{ type, handle }])
    t.match(await store.get(handle), between ?? undefined)
  }
})
