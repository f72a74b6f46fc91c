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

/** Tests of one threat, for any store. */
export type Attack = (t: Test, makeStore: MakeStore) => void

/** Every threat but the randomised one, which is `random.ts`. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
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
  'device-bound sessions': deviceBound,
  'the life of a device-bound session': deviceBoundLife,
  'from outside': fromOutside,
  'everybody out': everybodyOut,
}

/** Attacks one store in every way but the random one. */
export function attack(t: Test, makeStore: MakeStore): void {
  for (const [name, run] of Object.entries(ATTACKS)) {
    t.test(name, async (t) => {
      run(t, makeStore)
    })
  }
}

/** The threats that are about ids, for sessions whose id comes in a header. */
const OF_IDS = ['fixation', 'immediate logout', 'stale ids', 'renewal', 'revocation', 'session limits']

/** Attacks the sessions of clients that bring their id in a header. */
export function attackByHeader(t: Test, makeStore: MakeStore, names: readonly string[] = OF_IDS): void {
  const byHeader = Object.assign(((...rest) => makeStore(...rest)) satisfies MakeStore, { isByHeader: true })
  for (const name of names) {
    t.test(`${name}, by header`, async (t) => {
      ATTACKS[name]?.(t, byHeader)
    })
  }
}
