import type { Arbitrary } from 'fast-check'
import { array, boolean, constant, nat, oneof, record, tuple } from 'fast-check'
import { call, outside, rarely, request, rules, wait } from '../draw-story.ts'
import type { Request } from '../story.ts'
import type { Meeting, Overlap } from './overlap.ts'

/** Requests that are mostly about one session, and make one call each. */
const meeting: Arbitrary<Request> = record({
  name: constant('request' as const),
  browser: oneof({ weight: 4, arbitrary: constant(0) }, constant(1)),
  shows: oneof({ weight: 8, arbitrary: constant('own' as const) }, nat(4)),
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

const before = oneof(
  { weight: 7, arbitrary: request },
  { weight: 2, arbitrary: wait },
  { weight: 1, arbitrary: outside },
)

/** Draws a story that ends with two steps at the same time. */
export const overlaps: Arbitrary<Overlap> = record({
  rules,
  steps: array(before, { minLength: 1, maxLength: 6 }),
  both: tuple(meetings, meetings),
  isApart: boolean(),
  seed: nat(),
})
