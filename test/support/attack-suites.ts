import type { Test } from 'tap'
import { actingAsAnother } from '../attacks/acting.ts'
import { clockSetBack } from '../attacks/clock-set-back.ts'
import { crossEpochWrite } from '../attacks/cross-epoch-write.ts'
import { dataUpdates } from '../attacks/data-updates.ts'
import { deviceBound } from '../attacks/device-bound.ts'
import { deviceBoundLife } from '../attacks/device-bound-life.ts'
import { everybodyOut } from '../attacks/everybody-out.ts'
import { fixation } from '../attacks/fixation.ts'
import { freshness } from '../attacks/freshness.ts'
import { fromOutside } from '../attacks/from-outside.ts'
import { halfLogin } from '../attacks/half-login.ts'
import { halfDone } from '../attacks/half-done.ts'
import { idClasses } from '../attacks/id-classes.ts'
import { limits } from '../attacks/limits.ts'
import { logout } from '../attacks/logout.ts'
import { lostUpdate } from '../attacks/lost-update.ts'
import { manySessions } from '../attacks/many-sessions.ts'
import { renewal } from '../attacks/renewal.ts'
import { resurrection } from '../attacks/resurrection.ts'
import { revocation } from '../attacks/revocation.ts'
import { stagedLogin } from '../attacks/staged-login.ts'
import { staleId } from '../attacks/stale-id.ts'
import type { MakeStore } from './app.ts'
import type { Sample } from './gate-store.ts'

/** Tests of one threat, for any store. */
type Attack = (t: Test, makeStore: MakeStore) => void

/** The threats to a session, whichever way its id comes. The randomised one is `random.ts`. */
const THREATS: Readonly<Record<string, Attack>> = {
  fixation,
  resurrection,
  'lost update': lostUpdate,
  'write across epochs': crossEpochWrite,
  'staged login': stagedLogin,
  'immediate logout': logout,
  'stale ids': staleId,
  renewal,
  revocation,
  'session limits': limits,
  'half-done changes': halfDone,
  'updates of data': dataUpdates,
  'freshness and lifetime': freshness,
  'half logins': halfLogin,
  'acting as another user': actingAsAnother,
  'a clock set back': clockSetBack,
  'many sessions': manySessions,
  'from outside': fromOutside,
}

/** The threats to sessions that only a cookie can have, and at the border between the two ways. */
const OF_COOKIES: Readonly<Record<string, Attack>> = {
  'device-bound sessions': deviceBound,
  'the life of a device-bound session': deviceBoundLife,
  'ids of the other class': idClasses,
}

/** The threat that ends every session of a store, and that comes last because it leaves a cutoff. */
const LAST: Readonly<Record<string, Attack>> = { 'everybody out': everybodyOut }

/** Returns the store for browsers that bring their ids in a header. */
export function byHeader(makeStore: MakeStore, sample?: Sample): MakeStore {
  return withTraits(makeStore, { isByHeader: true, ...(sample && { sample }) })
}

function withTraits(makeStore: MakeStore, traits: Pick<MakeStore, 'isByHeader' | 'sample'>): MakeStore {
  return Object.assign(((...rest) => makeStore(...rest)) satisfies MakeStore, traits)
}

function run(t: Test, makeStore: MakeStore, attacks: Readonly<Record<string, Attack>>): void {
  for (const [name, attack] of Object.entries(attacks)) {
    t.test(makeStore.isByHeader === true ? `${name}, by header` : name, async (t) => {
      attack(t, makeStore)
    })
  }
}

/** Attacks a store with ids in cookies. */
export function attackByCookie(t: Test, makeStore: MakeStore): void {
  run(t, makeStore, { ...THREATS, ...OF_COOKIES, ...LAST })
}

/**
 * Attacks a store with ids in a header. The way of an id changes no operation of the store, so fewer orders are enough.
 */
export function attackByHeader(t: Test, makeStore: MakeStore): void {
  run(t, byHeader(makeStore, { most: 40, seed: 7 }), { ...THREATS, ...LAST })
}

/**
 * Attacks a store outside of the process, both ways. Such a store plays fewer orders than the store in memory, and
 * draws its own orders by its `seed`. Stores differ only in their operations, which the contract suite tests, and
 * `test/interleavings` plays the orders of the engine.
 */
export function attackBothWays(t: Test, makeStore: MakeStore, seed: number): void {
  const byCookie = withTraits(makeStore, { sample: { most: 24, seed } })
  const other = byHeader(makeStore, { most: 12, seed: seed + 100 })
  run(t, byCookie, { ...THREATS, ...OF_COOKIES })
  run(t, other, THREATS)
  run(t, byCookie, LAST)
  run(t, other, LAST)
}
