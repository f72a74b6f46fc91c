import type { Arbitrary } from 'fast-check'
import { array, boolean, constant, nat, oneof, record, tuple } from 'fast-check'
import {
  act,
  call,
  logIn,
  logInHalf,
  outside,
  rarely,
  request,
  rules,
  setBack,
  shortWait,
  write,
} from '../draw-story.ts'
import type { Request, Step } from '../story.ts'
import { isOpenRace } from './open-races.ts'
import type { Meeting, Overlap } from './overlap.ts'

/** Requests that are mostly about one session, and make one call each. */
const meeting: Arbitrary<Request> = record({
  name: constant('request' as const),
  browser: oneof({ weight: 6, arbitrary: constant(0) }, constant(1)),
  shows: oneof({ weight: 12, arbitrary: constant('own' as const) }, nat(4)),
  calls: oneof({ weight: 1, arbitrary: constant([]) }, { weight: 6, arbitrary: tuple(call) }),
  ending: constant('answered' as const),
  isStranger: rarely,
  isPassive: rarely,
  isStaleFine: constant(false),
  isLate: constant(false),
  carrier: constant('reply' as const),
})

const meetings = oneof(
  { weight: 4, arbitrary: meeting },
  { weight: 1, arbitrary: outside.filter(({ name }) => name !== 'restart the process') },
) as Arbitrary<Meeting>

/** Draws the request in which the session of a browser begins. */
const opening = (browser: number): Arbitrary<Request> =>
  record({
    name: constant('request' as const),
    browser: constant(browser),
    shows: constant('own' as const),
    calls: oneof(
      { weight: 3, arbitrary: tuple(logIn) },
      { weight: 1, arbitrary: tuple(logIn, write) },
      { weight: 1, arbitrary: tuple(logInHalf) },
      { weight: 2, arbitrary: tuple(write) },
    ),
    ending: constant('answered' as const),
    isStranger: rarely,
    isPassive: constant(false),
    isStaleFine: constant(false),
    isLate: constant(false),
    carrier: constant('reply' as const),
  })

/** Draws a request in which the user of the first browser begins to act as another one. */
const acting: Arbitrary<Request> = record({
  ...{ name: constant('request' as const), browser: constant(0), shows: constant('own' as const), calls: tuple(act) },
  ...{ ending: constant('answered' as const), carrier: constant('reply' as const), isLate: constant(false) },
  ...{ isStranger: constant(false), isPassive: constant(false), isStaleFine: constant(false) },
})

/** Draws a step between the openings and the two steps. Many of these change the session, and some end it. */
const between: Arbitrary<Step> = oneof(
  { weight: 3, arbitrary: meeting },
  { weight: 1, arbitrary: request },
  { weight: 1, arbitrary: acting },
  { weight: 2, arbitrary: shortWait },
  { weight: 1, arbitrary: setBack },
  { weight: 1, arbitrary: constant({ name: 'set the clock back' as const, time: 10_000 }) },
  { weight: 1, arbitrary: outside },
)

const all: Arbitrary<Overlap> = record({
  rules,
  steps: tuple(
    opening(0),
    oneof({ weight: 2, arbitrary: constant([]) }, { weight: 1, arbitrary: tuple(opening(1)) }),
    oneof({ weight: 1, arbitrary: constant([]) }, { weight: 2, arbitrary: array(between, { maxLength: 3 }) }),
  ).map(([first, second, rest]) => [first, ...second, ...rest]),
  both: tuple(meetings, meetings),
  isApart: boolean(),
  seed: nat(),
})

/** Draws a story that ends with two steps at the same time. */
export const overlaps = all.filter(({ both, rules: given }) => !isOpenRace(both, given))
