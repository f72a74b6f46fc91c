import type { Arbitrary } from 'fast-check'
import { array, boolean, constant, constantFrom, nat, oneof, option, record, subarray } from 'fast-check'
import type { Call, OutsideStep, Request, Rules, Step, Times } from './story.ts'
import { BROWSERS, USERS } from './story.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The time that passes between two requests around a pause. */
const AROUND = 14

/** The windows and deadlines of the guides. */
const SHORT = [30, 60, 90, 120, 150, 240, 300, 600, 900, 1800].map((seconds) => seconds * SECOND)
const LONG = [1, 2, 12, 336].map((hours) => hours * HOUR)

/** Pauses that end at the instant of a window or deadline, just before it, or some time later. */
const PAUSES = [SECOND, ...[...SHORT, ...LONG].flatMap((time) => [time - AROUND, time - AROUND - 1, time + SECOND])]
const BACKWARDS = [SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, 2 * HOUR, 24 * HOUR]

/** The longest pauses end nearly everything, so they are rare. */
const shortPauses = constantFrom(...PAUSES.slice(0, 3 * SHORT.length + 1))
const pauses = oneof({ weight: 8, arbitrary: shortPauses }, constantFrom(...PAUSES))

const user = constantFrom(...USERS)
const key = constantFrom('a', 'b', '_csrf')
const keys = subarray(['a', 'b', '_csrf'])
const methods = subarray(['pwd', 'otp'] as const)
const label = option(constantFrom('desk', 'phone'), { nil: undefined, freq: 2 })
const name = constantFrom('Ann', 'Zoe')
const session = nat(5)
const except = option(session, { nil: undefined, freq: 2 })

/** Draws what most of the time is not. */
export const rarely = oneof({ weight: 6, arbitrary: constant(false) }, constant(true))

/** Draws lifetimes of which none is longer than the next one. */
const times: Arbitrary<Times> = record({
  idle: constantFrom(10 * MINUTE, 30 * MINUTE),
  absolute: constantFrom(30 * MINUTE, HOUR, 12 * HOUR),
  remembered: constantFrom(12 * HOUR, 336 * HOUR),
})

export const rules: Arbitrary<Rules> = record({
  times: option(record({ alice: times, bob: times }), { nil: undefined, freq: 2 }),
  limit: option(record({ count: constantFrom(1, 2), onLimit: constantFrom('evict', 'refuse'), isByUser: boolean() }), {
    nil: undefined,
    freq: 2,
  }),
  asks: constantFrom(undefined, '0s', '10m'),
  renewal: constantFrom('2m', '15m'),
  copied: oneof({ weight: 3, arbitrary: constant('end' as const) }, constant('step-up' as const)),
  hasHeader: rarely,
  isCached: rarely,
  isBindable: rarely,
})

const given = oneof({ weight: 9, arbitrary: constant(undefined) }, constantFrom('0', 'x'))
const wrong = oneof({ weight: 9, arbitrary: constant(undefined) }, constantFrom('remember', 'keep', 'label'))

export const write = record({ name: constant('write' as const), key, value: nat(9) })

export const logIn = record({
  name: constant('log in' as const),
  user,
  remember: oneof({ weight: 3, arbitrary: constant(false) }, constant(true)),
  keep: oneof({ weight: 3, arbitrary: constant(undefined) }, boolean(), keys),
  methods,
  label,
  isByHeader: rarely,
  given,
})

export const logInHalf = record({ name: constant('log in half' as const), user, methods, wrong })

export const confirm = record({ name: constant('confirm' as const), methods, label })

export const act = record({ name: constant('act' as const), user, minutes: constantFrom(5, 30, 120) })

export const call: Arbitrary<Call> = oneof(
  { weight: 4, arbitrary: write },
  { weight: 2, arbitrary: record({ name: constantFrom('remove', 'update'), key }) },
  { weight: 6, arbitrary: logIn },
  { weight: 2, arbitrary: logInHalf },
  { weight: 1, arbitrary: record({ name: constant('update the fingerprint' as const), given }) },
  { weight: 3, arbitrary: confirm },
  { weight: 3, arbitrary: act },
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
      name: constantFrom('stop acting', 'stop acting', 'destroy', 'reload', 'save', 'touch'),
    }),
  },
)

/** Draws the members of a request. */
type Drawn = { readonly [Name in keyof Request]: Arbitrary<Request[Name]> }

/** The first browser shows its own id, and is answered. */
const PLAIN: Drawn = {
  name: constant('request'),
  browser: constant(0),
  shows: constant('own'),
  calls: constant([]),
  ending: constant('answered'),
  isStranger: constant(false),
  isPassive: constant(false),
  isStaleFine: constant(false),
  isLate: constant(false),
  carrier: constant('reply'),
}

/** Draws requests that are plain, apart from these members. */
export function requests(parts: Partial<Drawn>): Arbitrary<Request> {
  return record<Request>({ ...PLAIN, ...parts })
}

/** Draws any request. */
export const request = requests({
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

export const outside: Arbitrary<OutsideStep> = oneof(
  record({ name: constant('revoke' as const), session, user }),
  record({ name: constant('revoke the user' as const), user, except }),
  record({
    name: constant('revoke all' as const),
    ago: option(constantFrom(0, ...PAUSES.slice(0, 3 * SHORT.length)), { nil: undefined, freq: 2 }),
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

export const wait: Arbitrary<Step> = record({ name: constant('wait' as const), time: pauses })

/** Draws pauses that end few sessions. */
export const shortWait: Arbitrary<Step> = record({ name: constant('wait' as const), time: shortPauses })

export const setBack: Arbitrary<Step> = record({
  name: constant('set the clock back' as const),
  time: constantFrom(...BACKWARDS),
})
