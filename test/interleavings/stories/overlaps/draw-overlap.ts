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
  requests,
  rules,
  setBack,
  shortWait,
  write,
} from '../draw-steps.ts'
import type { Step } from '../story.ts'
import { isOpenRace } from './open-races.ts'
import type { Meeting, Overlap } from './overlap.ts'

const THEN: readonly string[] = ['write', 'confirm', 'update the user', 'touch']

/**
 * Draws two calls that wait for the response, so that both happen or none. The second one asks neither whose session it
 * is nor what its data is, because that depends on the order.
 */
const twoCalls = tuple(
  call.filter(({ name }) => !['remove', 'update', 'save', 'log out', 'destroy', 'reload'].includes(name)),
  call.filter(({ name }) => THEN.includes(name)),
)

/** Draws requests that are mostly about one session, and make one call or two. */
const meeting = requests({
  browser: oneof({ weight: 6, arbitrary: constant(0) }, constant(1)),
  shows: oneof({ weight: 12, arbitrary: constant('own' as const) }, nat(4)),
  calls: oneof(
    { weight: 1, arbitrary: constant([]) },
    { weight: 6, arbitrary: tuple(call) },
    { weight: 3, arbitrary: twoCalls },
  ),
  isStranger: rarely,
  isPassive: rarely,
})

const meetings = oneof(
  { weight: 4, arbitrary: meeting },
  { weight: 1, arbitrary: outside.filter(({ name }) => name !== 'restart the process') },
) as Arbitrary<Meeting>

/** Draws the request in which the session of a browser begins. */
const opening = (browser: number): Arbitrary<Step> =>
  requests({
    browser: constant(browser),
    calls: oneof(
      { weight: 3, arbitrary: tuple(logIn) },
      { weight: 1, arbitrary: tuple(logIn, write) },
      { weight: 1, arbitrary: tuple(logInHalf) },
      { weight: 2, arbitrary: tuple(write) },
    ),
    isStranger: rarely,
  })

/** Draws a step between the openings and the two steps. Many of these change the session, and some end it. */
const between: Arbitrary<Step> = oneof(
  { weight: 3, arbitrary: meeting },
  { weight: 1, arbitrary: request },
  { weight: 1, arbitrary: requests({ calls: tuple(act) }) },
  { weight: 2, arbitrary: shortWait },
  { weight: 1, arbitrary: setBack },
  { weight: 1, arbitrary: constant({ name: 'set the clock back' as const, time: 10_000 }) },
  { weight: 1, arbitrary: outside },
)

/** A value that is there already is no change. No step of the story writes these. */
const changed = (step: Meeting): Meeting =>
  step.name === 'request'
    ? { ...step, calls: step.calls.map((one) => (one.name === 'write' ? { ...one, value: one.value + 10 } : one)) }
    : step

const all: Arbitrary<Overlap> = record({
  rules,
  steps: tuple(
    opening(0),
    oneof({ weight: 2, arbitrary: constant([]) }, { weight: 1, arbitrary: tuple(opening(1)) }),
    oneof({ weight: 1, arbitrary: constant([]) }, { weight: 2, arbitrary: array(between, { maxLength: 3 }) }),
  ).map(([first, second, rest]) => [first, ...second, ...rest]),
  both: tuple(meetings.map(changed), meetings.map(changed)),
  isApart: boolean(),
  seed: nat(),
})

/** Draws a story that ends with two steps at the same time. */
export const overlaps = all.filter(({ both, rules: given }) => !isOpenRace(both, given))
