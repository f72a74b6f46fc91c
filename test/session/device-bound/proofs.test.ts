import t from 'tap'
import { MAX_SKEW } from '../../../lib/storage/clocks.ts'
import { newBinding } from '../../../lib/session/device-bound/binding.ts'
import { DeviceProofs } from '../../../lib/session/device-bound/proofs.ts'
import { newHandle } from '../../../lib/session/id.ts'
import { NOW } from '../records.ts'

const MINUTE = 60_000
const LIFETIME = 10 * MINUTE
const [SECRET, OTHER_SECRET] = ['a secret of at least thirty-two bytes', 'another secret, which is as long as it']
const handle = newHandle()
const binding = { ...newBinding({ x: '', y: '' }), previousSeed: newHandle() }
const { id, previousSeed } = binding

function proofsOf(lifetime = LIFETIME, secrets: readonly string[] = [SECRET], cookie = 'session'): DeviceProofs {
  return new DeviceProofs({ isRequired: false, lifetime, path: '/.session' }, secrets, cookie)
}

const proofs = proofsOf()

t.test('the bound cookie is named after the session cookie', async (t) => {
  t.equal(proofsOf(LIFETIME, [SECRET], '__Host-id').cookieName, '__Host-id-bound')
})

t.test(
  'a browser drops the bound cookie a quarter of its life before the server does, and at most 90 seconds',
  async (t) => {
    for (const [lifetime, maxAge] of [
      [10 * MINUTE, 510],
      [400_000, 310],
      [360_000, 270],
      [120_000, 90],
      [121_000, 90],
    ] as const) {
      t.equal(proofsOf(lifetime).maxAge, maxAge, `of ${lifetime}`)
    }
  },
)

t.test('a bound cookie is valid from a clock that is a little behind until its lifetime is over', async (t) => {
  const connection = {}
  const value = proofs.mintCookie(handle, id, NOW)
  for (let round = 0; round < 2; round += 1) {
    for (const [at, judgement] of [
      [NOW, 'valid'],
      [NOW + LIFETIME - 1, 'valid'],
      [NOW + LIFETIME, 'expired'],
      [NOW - MAX_SKEW, 'valid'],
      [NOW - MAX_SKEW - 1, 'expired'],
    ] as const) {
      t.equal(proofs.judgeCookie(value, handle, id, at), judgement, `${at - NOW} ms`)
      t.equal(proofs.judgeCookie(value, handle, id, at, connection), judgement, `${at - NOW} ms, on a connection`)
    }
  }
})

t.test('a bound cookie is one of its session and its binding, also on a connection that has shown it', async (t) => {
  const connection = {}
  const value = proofs.mintCookie(handle, id, NOW)
  for (const over of [undefined, connection, connection]) {
    const judge = (text: string, of = handle, to = id): string => proofs.judgeCookie(text, of, to, NOW, over)
    t.equal(judge(value), 'valid')
    t.equal(judge(''), 'missing')
    t.equal(judge('mutant'), 'forged')
    t.equal(judge(value, newHandle()), 'forged', 'another session')
    t.equal(judge(value, handle, newHandle()), 'forged', 'another binding')
    t.equal(judge(`1${value}`), 'forged', 'a later end')
    t.equal(judge(value.slice(value.indexOf('.') + 1)), 'forged', 'no end')
    t.equal(judge(`${value}A`), 'forged')
    t.equal(judge(value), 'valid', 'and none of them spoils it')
  }
})

t.test('a value is good for the purpose that it was made for alone, and for one cookie name of the keys', async (t) => {
  const made = {
    cookie: proofs.mintCookie(handle, id, NOW - LIFETIME),
    offer: proofs.offer(handle, 3, NOW),
    challenge: proofs.challenge(handle, binding, NOW),
  }
  for (const [name, text] of Object.entries(made)) {
    t.equal(proofs.judgeCookie(text, handle, id, NOW - 1), name === 'cookie' ? 'valid' : 'forged', name)
    t.equal(proofs.isOffer(text, handle, 3, NOW), name === 'offer', name)
    t.equal(proofs.matchChallenge(text, handle, binding, NOW), name === 'challenge' ? 'open' : undefined, name)
  }
  const admin = proofsOf(LIFETIME, [SECRET], 'admin')
  t.notOk(admin.isOffer(made.offer, handle, 3, NOW))
  t.ok(proofs.isOffer(proofs.offer('a1', 1, NOW), 'a1', 1, NOW))
  t.notOk(proofs.isOffer(proofs.offer('a1', 1, NOW), 'a', 11, NOW), 'names do not run into each other')
})

t.test('the first secret makes, and all of them verify', async (t) => {
  const rotated = proofsOf(LIFETIME, [OTHER_SECRET, SECRET])
  t.ok(rotated.isOffer(proofs.offer(handle, 3, NOW), handle, 3, NOW))
  t.ok(rotated.isOffer(rotated.offer(handle, 3, NOW), handle, 3, NOW))
  t.notOk(proofs.isOffer(rotated.offer(handle, 3, NOW), handle, 3, NOW))
})

t.test('an offer counts for two minutes, for the login that made it', async (t) => {
  const offer = proofs.offer(handle, 3, NOW + 999)
  for (const [at, isGood] of [
    [NOW, true],
    [NOW + 2 * MINUTE - 1, true],
    [NOW + 2 * MINUTE, false],
    [NOW - MAX_SKEW + 1, true],
    [NOW - MAX_SKEW, false],
  ] as const) {
    t.equal(proofs.isOffer(offer, handle, 3, at), isGood, `${at - NOW} ms`)
  }
  t.notOk(proofs.isOffer(offer, handle, 4, NOW), 'another login')
  t.notOk(proofs.isOffer(offer, newHandle(), 3, NOW), 'another session')
  const early = proofs.offer(handle, 3, -5_000)
  t.match(early, /^0\./, 'a clock before 1970 makes one too')
  t.ok(proofs.isOffer(early, handle, 3, -5_000))
})

t.test('a challenge counts for two lifetimes and some skew of clocks, as the open or the previous one', async (t) => {
  const limit = 2 * LIFETIME + MAX_SKEW
  for (const [name, text] of [
    ['open', proofs.challenge(handle, binding, NOW)],
    ['previous', proofs.challenge(handle, { ...binding, seed: previousSeed }, NOW)],
  ] as const) {
    for (const [at, isGood] of [
      [NOW, true],
      [NOW + limit - 1, true],
      [NOW + limit, false],
      [NOW - MAX_SKEW + 1, true],
      [NOW - MAX_SKEW, false],
    ] as const) {
      t.equal(proofs.matchChallenge(text, handle, binding, at), isGood ? name : undefined, `${name}, ${at - NOW} ms`)
    }
    t.equal(proofs.matchChallenge(text, newHandle(), binding, NOW), undefined, 'another session')
    t.equal(proofs.matchChallenge(text, handle, { ...binding, id: newHandle() }, NOW), undefined, 'another binding')
  }
  for (const seed of [newHandle(), '']) {
    const stranger = proofs.challenge(handle, { ...binding, seed }, NOW)
    t.equal(proofs.matchChallenge(stranger, handle, binding, NOW), undefined)
    t.equal(proofs.matchChallenge(stranger, handle, { ...binding, previousSeed: '' }, NOW), undefined, 'none before')
  }
})

t.test('a failure of a session is told once a minute, and again when the clock was set back', async (t) => {
  const told = proofsOf()
  t.ok(told.isNews(handle, 'signature', NOW))
  for (const at of [NOW, NOW + 1, NOW + MINUTE - 1]) t.notOk(told.isNews(handle, 'signature', at), `${at - NOW} ms`)
  t.ok(told.isNews(handle, 'replayed', NOW), 'another failure')
  t.ok(told.isNews(newHandle(), 'signature', NOW), 'another session')
  t.ok(told.isNews(handle, 'signature', NOW + MINUTE))
  t.ok(told.isNews(handle, 'signature', NOW + MINUTE - 1), 'set back')
  t.notOk(told.isNews(handle, 'signature', NOW + MINUTE))
})
