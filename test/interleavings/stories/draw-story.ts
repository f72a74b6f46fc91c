import type { Arbitrary } from 'fast-check'
import { array, constant, constantFrom, nat, oneof, record, tuple } from 'fast-check'
import {
  act,
  call,
  confirm,
  logIn,
  outside,
  rarely,
  request,
  requests,
  rules,
  setBack,
  wait,
  write,
} from './draw-steps.ts'
import type { Call, Story } from './story.ts'

const STEPS = { minLength: 2, maxLength: 14 }

/** A browser that comes again and again, and others that show its ids. */
const shows = requests({
  shows: oneof({ weight: 2, arbitrary: constant('own' as const) }, { weight: 3, arbitrary: nat(6) }),
  calls: oneof(
    { weight: 8, arbitrary: constant([]) },
    { weight: 1, arbitrary: tuple(call) },
    { weight: 2, arbitrary: tuple(confirm) },
  ),
  ending: oneof({ weight: 5, arbitrary: constant('answered' as const) }, constantFrom('lost', 'thrown')),
  isStranger: oneof({ weight: 3, arbitrary: constant(false) }, constant(true)),
  isPassive: rarely,
})

const byCookie = tuple(logIn.map((options) => ({ ...options, isByHeader: false, given: undefined })))
const login = requests({ calls: byCookie })

const anything = array(
  oneof({ weight: 7, arbitrary: request }, { weight: 2, arbitrary: wait }, { weight: 2, arbitrary: outside }),
  STEPS,
)

/** Steps of which some set the clock back. */
const backwards = array(
  oneof(
    { weight: 7, arbitrary: request },
    { weight: 2, arbitrary: wait },
    { weight: 2, arbitrary: setBack },
    { weight: 1, arbitrary: outside },
  ),
  STEPS,
)

/** Draws how a session begins: with a login, or with another client, whose session the login takes over. */
const openings = oneof(
  { weight: 3, arbitrary: tuple(login) },
  {
    weight: 1,
    arbitrary: tuple(
      requests({ calls: tuple(write), isStranger: constant(true) }),
      requests({ calls: byCookie, shows: constant(0) }),
    ),
  },
)

/** Steps that show the ids of one session. */
const ids = tuple(
  openings,
  array(oneof({ weight: 3, arbitrary: shows }, { weight: 2, arbitrary: wait }), { minLength: 4, maxLength: 20 }),
).map(([first, rest]) => [...first, ...rest])

const role: Arbitrary<Call> = oneof(act, confirm, constant({ name: 'stop acting' as const }))

/** Steps of one browser that is logged in: it acts as somebody, returns, and proves who is there, while clocks go. */
const logins = tuple(
  login,
  array(
    oneof(
      { weight: 4, arbitrary: requests({ calls: array(call, { maxLength: 2 }) }) },
      { weight: 3, arbitrary: requests({ calls: tuple(role) }) },
      { weight: 2, arbitrary: wait },
      { weight: 1, arbitrary: setBack },
      { weight: 1, arbitrary: outside },
    ),
    STEPS,
  ),
).map(([first, rest]) => [first, ...rest])

/** Draws a story. */
export const stories: Arbitrary<Story> = record({
  rules,
  steps: oneof(
    { weight: 4, arbitrary: anything },
    { weight: 1, arbitrary: backwards },
    { weight: 2, arbitrary: ids },
    { weight: 2, arbitrary: logins },
  ),
})
