import type { Arbitrary } from 'fast-check'
import { array, boolean, constant, constantFrom, nat, oneof, record, tuple } from 'fast-check'
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
import type { Meeting, Overlap, ProofStep } from './overlap.ts'

/** Calls that may follow another one in the same request. */
const THEN: readonly string[] = ['write', 'confirm', 'update the user', 'touch']

/**
 * Draws two calls that wait for the response, so that both happen or none. The second one asks neither whose session it
 * is nor what its data is, because that depends on the order. A login whose id goes into a header does not wait.
 */
const twoCalls = tuple(
  call
    .filter(({ name }) => !['remove', 'update', 'save', 'log out', 'destroy', 'reload'].includes(name))
    .map((one) => (one.name === 'log in' ? { ...one, isByHeader: false } : one)),
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

const proof = record<ProofStep>({
  name: constant('prove'),
  device: constantFrom('refresh', 'refresh', 'old proof', 'other key', 'bind'),
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

/** Draws overlaps. With a binding one of the two steps is mostly about the device. */
const overlapsWith = (binding: Overlap['binding']): Arbitrary<Overlap> => {
  const isBindable = binding !== 'none'
  const any = meetings.map(changed)
  const first = isBindable ? oneof({ weight: 1, arbitrary: any }, { weight: 2, arbitrary: proof }) : any
  return record({
    rules: rules.map((given) => ({ ...given, isBindable })),
    steps: tuple(
      isBindable ? requests({ calls: tuple(logIn) }) : opening(0),
      oneof({ weight: 2, arbitrary: constant([]) }, { weight: 1, arbitrary: tuple(opening(1)) }),
      oneof({ weight: 1, arbitrary: constant([]) }, { weight: 2, arbitrary: array(between, { maxLength: 3 }) }),
      // What a clock that was set back does to a session is seen in the first request afterwards.
      oneof({ weight: 5, arbitrary: constant([]) }, { weight: 1, arbitrary: tuple(setBack) }),
    ).map(([begun, second, rest, last]) => [begun, ...second, ...rest, ...last]),
    both: tuple(first, any),
    isApart: boolean(),
    binding: constant(binding),
    seed: nat(),
  })
}

/** Draws a story that ends with two steps at the same time. */
export const overlaps = oneof(
  { weight: 5, arbitrary: overlapsWith('none') },
  { weight: 1, arbitrary: overlapsWith('registered') },
  { weight: 2, arbitrary: overlapsWith('bound') },
).filter((overlap) => !isOpenRace(overlap))
