import { cutsOf } from '../support/scheduler.ts'
import { contentsAfter } from './stepped-store.ts'
import type { Deed } from './stepped-store.ts'
import type { Aftermath } from './view.ts'
import type { Played, Report } from './world.ts'
import { aside, RENAMED } from './world.ts'

/**
 * Returns what is left for each step at which the process may have died. The store is as it was, the responses that had
 * left are there, and the memory is gone. `seen` keeps what was returned before.
 */
export async function* crashesOf(played: Played, seen: Set<string>): AsyncGenerator<Aftermath> {
  const { prepared, deeds: all } = played
  for (const deeds of cutsOf(all)) {
    if (deeds.length === all.length) continue
    const reports = played.reports.map((report) => reportAt(report, all, new Set(deeds)))
    const contents = await aside(() => contentsAfter(prepared.now - prepared.lag, prepared.contents, deeds))
    const isIn = (what: string): boolean => deeds.some(({ name, args }) => name === 'loadUser' && args[0] === what)
    const changed = {
      ...(isIn('change') || isIn('delete') ? {} : { passwords: 0, passwordAt: Infinity, isGone: false }),
      ...(isIn('rename') ? {} : { userName: RENAMED }),
    }
    const key = JSON.stringify([
      [...contents.records],
      [...contents.index].map(([user, entries]) => [user, [...entries]]),
      reports.map(({ reply, startedAt }) => [reply?.status, reply?.cookie, startedAt === Infinity]),
      Object.keys(changed),
    ])
    if (seen.has(key)) continue
    seen.add(key)
    yield { played: { ...played, ...changed }, contents, deeds, reports, isCrash: true }
  }
}

/** Returns a report as far as its act had come. */
function reportAt(report: Report, all: readonly Deed[], past: ReadonlySet<Deed>): Report {
  const own = all.filter(({ actor }) => actor === report.actor)
  const isOver = own.every((deed) => past.has(deed) || all.indexOf(deed) >= report.endedAt)
  if (isOver) return report
  const hasBegun = own.some((deed) => past.has(deed))
  const startedAt = hasBegun ? report.startedAt : Infinity
  return { ...report, startedAt, endedAt: Infinity, reply: undefined }
}
