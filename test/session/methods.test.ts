import t from 'tap'
import { METHOD_NAMES, missingMethods, trustedMethods, withMethods } from '../../lib/session/methods.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

t.test('the ways to log in are all names of RFC 8176, section 2', async (t) => {
  const names = 'face fpt geo hwk iris kba mca mfa otp pin pop pwd rba retina sc sms swk tel user vbm wia'
  t.equal(METHOD_NAMES.join(' '), names)
  t.strictSame(missingMethods(withMethods([], METHOD_NAMES, 1), METHOD_NAMES, 0), [])
})

const BEFORE = [
  { name: 'pwd', at: 10 },
  { name: 'otp', at: 20 },
] as const

t.test('a way that is used again has the newer instant, and the others keep theirs', async (t) => {
  t.strictSame(withMethods(BEFORE, ['pwd', 'hwk'], 30), [
    { name: 'otp', at: 20 },
    { name: 'pwd', at: 30 },
    { name: 'hwk', at: 30 },
  ])
  t.strictSame(withMethods(BEFORE, undefined, 30), BEFORE)
  t.strictSame(withMethods(undefined, ['pwd'], 30), [{ name: 'pwd', at: 30 }])
  t.strictSame(withMethods(undefined, undefined, 30), [])
  const [pwd] = BEFORE
  t.strictSame(withMethods(BEFORE, undefined, 15), [pwd, { name: 'otp', at: 15 }], 'the clock was set back')
})

t.test('after a replaced id came back, no way that was used before counts', async (t) => {
  const named = recordAt(0, { methods: BEFORE, isForked: false })
  const unnamed = recordAt(0, { isForked: false })
  t.strictSame(trustedMethods(named), BEFORE)
  t.strictSame(trustedMethods({ ...named, isForked: true }), [])
  t.equal(trustedMethods(unnamed), undefined)
  t.equal(trustedMethods({ ...unnamed, isForked: true }), undefined, 'an app that names no ways keeps none')
})

t.test('a way counts if it was used after the instant, and not at the instant', async (t) => {
  t.strictSame(missingMethods(BEFORE, ['pwd', 'otp', 'hwk'], 9), ['hwk'])
  t.strictSame(missingMethods(BEFORE, ['pwd', 'otp', 'hwk'], 10), ['pwd', 'hwk'])
  t.strictSame(missingMethods(BEFORE, ['otp', 'pwd'], 19), ['pwd'])
  t.strictSame(missingMethods(BEFORE, ['otp', 'pwd'], 20), ['otp', 'pwd'])
  t.strictSame(missingMethods(BEFORE, [], 20), [])
  t.strictSame(missingMethods(undefined, ['pwd'], -Infinity), ['pwd'])
})
