import { BINDINGS } from './bindings.ts'
import { CALLS } from './calls.ts'
import { COPIES } from './copies.ts'
import { ENDINGS } from './endings.ts'
import { EVENTS } from './events.ts'
import { LATER } from './later.ts'
import { LIMITS } from './limits.ts'
import { LOGINS } from './logins.ts'
import { REQUESTS } from './requests.ts'
import type { Aftermath, Guarantee } from './view.ts'
import { View } from './view.ts'
import { WALKED } from './walks.ts'
import { aside } from './interleave.ts'
import { WRITES } from './writes.ts'

/** The guarantees about the moment at which a run ends. */
const NOW: readonly Guarantee[] = [
  ...LOGINS,
  ...ENDINGS,
  ...REQUESTS,
  ...CALLS,
  ...EVENTS,
  ...BINDINGS,
  ...LIMITS,
  ...WRITES,
]

/** The guarantees about what clients find who come later. */
const AFTERWARDS: readonly Guarantee[] = [...LATER, ...COPIES, ...WALKED]

/** Returns every guarantee that an aftermath breaks, and how. Nobody comes later if it `isBrief`. */
export async function judge(after: Aftermath, isBrief = false): Promise<readonly string[]> {
  return aside(async () => {
    const view = new View(after)
    await view.look()
    const problems: string[] = []
    // Sessions that are about to expire are asked nothing later.
    const later = isBrief || after.reports.some(({ act }) => act.waits !== undefined) ? [] : AFTERWARDS
    for (const guarantee of [...NOW, ...later]) {
      for await (const problem of guarantee.broken(view)) problems.push(`${guarantee.name}: ${problem}`)
    }
    return problems
  })
}
