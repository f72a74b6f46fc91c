import t from 'tap'
import { readBinding } from '../../../lib/session/device-bound/binding.ts'
import { registerDevice } from '../../../lib/session/device-bound/register.ts'
import { newHandle } from '../../../lib/session/id.ts'
import { nobody, pendingOf } from '../records.ts'
import { boundWorld, CLIENT, EPOCH, shownBinding } from './bound-world.ts'

t.test('a registration binds its session, demands nothing yet, and is told', async (t) => {
  const { engine, proofs, session, device, key, clock, store, told, asked } = await boundWorld(t)
  const { record, id } = await session()
  const { handle } = record
  asked()
  const jws = device.registration(proofs.offer(handle, EPOCH, clock()))
  const grant = await registerDevice(engine, proofs, { id, jws, client: CLIENT })
  t.strictSame(asked(), ['get', 'update'])
  const bound = await store.get(handle)
  const binding = readBinding(bound?.deviceKey ?? '')
  t.match(binding, { id: grant?.bindingId, key, isShown: false })
  t.strictSame(bound, { ...record, version: record.version + 1, deviceKey: bound?.deviceKey })
  t.equal(proofs.judgeCookie(grant?.cookieValue ?? '', handle, binding.id, clock()), 'valid')
  t.equal(proofs.matchChallenge(grant?.challenge ?? '', handle, binding, clock()), 'open')
  t.strictSame(told(), [{ type: 'bound', handle, userId: 'ann' }])
  const again = await registerDevice(engine, proofs, { id, jws, client: CLIENT })
  t.equal(again, undefined, 'a copy of the registration opens nothing')
  t.strictSame([await store.get(handle), told()], [bound, []])
})

t.test(
  'a registration that is none, or is none of this login in time, is refused without a question to the store',
  async (t) => {
    const { engine, proofs, session, device, clock, told, asked } = await boundWorld(t)
    const { record, id } = await session()
    const { handle } = record
    asked()
    const offer = (epoch: number, at = clock()): string => device.registration(proofs.offer(handle, epoch, at))
    for (const [what, jws] of [
      ['nothing', ''],
      ['no key', device.proof(proofs.offer(handle, EPOCH, clock()))],
      ['another challenge', device.registration('x')],
      ['a login before', offer(EPOCH - 1)],
      ['another session', device.registration(proofs.offer(newHandle(), EPOCH, clock()))],
      ['too late', offer(EPOCH, clock() - 120_000)],
    ] as const) {
      t.equal(await registerDevice(engine, proofs, { id, jws, client: CLIENT }), undefined, what)
    }
    t.strictSame([asked(), told()], [[], []])
  },
)

t.test('a session is bound only if somebody is logged in, nothing binds it, and the id opens it', async (t) => {
  const { engine, proofs, session, device, idOf, clock, store, told, key } = await boundWorld(t)
  const bind = async (id: Parameters<typeof registerDevice>[2]['id']): Promise<unknown> => {
    const jws = device.registration(proofs.offer(id.handle, id.epoch, clock()))
    return registerDevice(engine, proofs, { id, jws, client: CLIENT })
  }
  for (const [what, changes] of [
    ['nobody is logged in', nobody()],
    ['the second factor is missing', pendingOf('ann')],
    ['bound already', { deviceKey: shownBinding(key).deviceKey }],
    ['a login came since', { epoch: EPOCH + 1, rotatedAt: clock() - 60_000 }],
  ] as const) {
    const { record, id } = await session(changes)
    t.equal(await bind(id), undefined, what)
    t.strictSame(await store.get(record.handle), record, what)
  }
  t.equal(await bind(idOf(newHandle(), EPOCH)), undefined, 'a session that is not there')
  t.strictSame(told(), [])
})

t.test('a logout that comes between gives no binding', async (t) => {
  const { engine, proofs, session, device, clock, store, gate, told } = await boundWorld(t)
  const { id } = await session()
  const { handle } = id
  const write = gate.hold('update')
  const jws = device.registration(proofs.offer(handle, EPOCH, clock()))
  const bound = registerDevice(engine, proofs, { id, jws, client: CLIENT })
  await write.arrived
  await store.delete(handle)
  write.release()
  t.equal(await bound, undefined)
  t.strictSame([await store.get(handle), told()], [undefined, []])
})
