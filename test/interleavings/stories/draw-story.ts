import type { Arbitrary } from 'fast-check'
import { array, boolean, constant, constantFrom, nat, oneof, option, record, subarray } from 'fast-check'
import type { Call, Rules, Step, Story } from './story.ts'
import { BROWSERS, USERS } from './story.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Pauses around the windows and deadlines of the guides. */
const PAUSES = [
  ...[SECOND, 29 * SECOND, 31 * SECOND, 61 * SECOND, 91 * SECOND, 121 * SECOND, 151 * SECOND],
  ...[4 * MINUTE, 6 * MINUTE, 10 * MINUTE, 16 * MINUTE, 29 * MINUTE, 31 * MINUTE],
  ...[HOUR, 2 * HOUR, 12 * HOUR, 336 * HOUR],
]
const BACKWARDS = [SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, 2 * HOUR, 24 * HOUR]

/** The longest pauses end nearly everything, so they are rare. */
const pauses = oneof({ weight: 8, arbitrary: constantFrom(...PAUSES.slice(0, 12)) }, constantFrom(...PAUSES))

const user = constantFrom(...USERS)
const key = constantFrom('a', 'b', '_csrf')
const keys = subarray(['a', 'b', '_csrf'])
const methods = subarray(['pwd', 'otp'] as const)
const label = option(constantFrom('desk', 'phone'), { nil: undefined, freq: 2 })
const name = constantFrom('Ann', 'Zoe')
const session = nat(5)
const except = option(session, { nil: undefined, freq: 1 })

/** Draws what most of the time is not. */
const rarely = oneof({ weight: 6, arbitrary: constant(false) }, constant(true))

const rules: Arbitrary<Rules> = record({
  isAliceHurried: boolean(),
  limit: option(record({ count: constantFrom(1, 2), onLimit: constantFrom('evict', 'refuse'), isByUser: boolean() }), {
    nil: undefined,
    freq: 1,
  }),
  asks: constantFrom(undefined, '0s', '10m'),
  renewal: constantFrom('2m', '15m'),
  copied: oneof({ weight: 3, arbitrary: constant('end' as const) }, constant('step-up' as const)),
  hasHeader: rarely,
  isCached: rarely,
})

const call: Arbitrary<Call> = oneof(
  { weight: 4, arbitrary: record({ name: constant('write' as const), key, value: nat(9) }) },
  { weight: 2, arbitrary: record({ name: constantFrom('remove', 'update'), key }) },
  {
    weight: 6,
    arbitrary: record({
      name: constant('log in' as const),
      user,
      remember: oneof({ weight: 3, arbitrary: constant(false) }, constant(true)),
      keep: oneof({ weight: 3, arbitrary: constant(undefined) }, boolean(), keys),
      methods,
      label,
      isByHeader: rarely,
    }),
  },
  { weight: 2, arbitrary: record({ name: constant('log in half' as const), user, methods }) },
  { weight: 3, arbitrary: record({ name: constant('confirm' as const), methods, label }) },
  { weight: 3, arbitrary: record({ name: constant('act' as const), user, minutes: constantFrom(5, 30, 120) }) },
  { weight: 2, arbitrary: record({ name: constant('update the user' as const), user, called: name }) },
  { weight: 2, arbitrary: record({ name: constant('regenerate' as const), keys }) },
  {
    weight: 2,
    arbitrary: record({
      name: constant('log out' as const),
      where: constantFrom('here', 'everywhere', 'elsewhere'),
    }),
  },
  {
    weight: 6,
    arbitrary: record({
      name: constantFrom('update the fingerprint', 'stop acting', 'stop acting', 'destroy', 'reload', 'save', 'touch'),
    }),
  },
)

const request: Arbitrary<Step> = record({
  name: constant('request' as const),
  browser: nat(BROWSERS - 1),
  shows: oneof({ weight: 6, arbitrary: constant('own' as const) }, nat(20)),
  calls: oneof({ weight: 1, arbitrary: constant([]) }, { weight: 3, arbitrary: array(call, { maxLength: 3 }) }),
  ending: constantFrom('answered', 'answered', 'answered', 'answered', 'answered', 'thrown', 'failed', 'lost'),
  isStranger: rarely,
  isPassive: rarely,
  isStaleFine: rarely,
  isLate: oneof({ weight: 12, arbitrary: constant(false) }, constant(true)),
  carrier: oneof({ weight: 6, arbitrary: constant('reply' as const) }, constant('stream' as const)),
})

const outside: Arbitrary<Step> = oneof(
  record({ name: constant('revoke' as const), session, user }),
  record({ name: constant('revoke the user' as const), user, except }),
  record({
    name: constant('revoke all' as const),
    ago: option(constantFrom(0, ...PAUSES.slice(0, 11)), { nil: undefined, freq: 2 }),
    except,
  }),
  record({ name: constant('update everywhere' as const), user, called: name }),
  record({
    name: constant('rename' as const),
    session,
    user,
    label: option(constantFrom('desk', 'phone'), { nil: null, freq: 2 }),
  }),
  record({ name: constant('update from outside' as const), session, key }),
  record({ name: constantFrom('change the password', 'delete the user', 'restore the user'), user }),
  record({ name: constant('change the name' as const), user, called: name }),
  record({ name: constant('restart the process' as const) }),
)

const wait: Arbitrary<Step> = record({ name: constant('wait' as const), time: pauses })
const setBack: Arbitrary<Step> = record({
  name: constant('set the clock back' as const),
  time: constantFrom(...BACKWARDS),
})

const STEPS = { minLength: 2, maxLength: 14 }

/** Draws a story. The clock is set back in some. */
export const stories: Arbitrary<Story> = record({
  rules,
  steps: oneof(
    {
      weight: 4,
      arbitrary: array(
        oneof({ weight: 7, arbitrary: request }, { weight: 2, arbitrary: wait }, { weight: 2, arbitrary: outside }),
        STEPS,
      ),
    },
    {
      weight: 1,
      arbitrary: array(
        oneof(
          { weight: 7, arbitrary: request },
          { weight: 2, arbitrary: wait },
          { weight: 2, arbitrary: setBack },
          { weight: 1, arbitrary: outside },
        ),
        STEPS,
      ),
    },
  ),
})
