import { cutsOf } from '../support/scheduler.ts'
import { changes, contentsAfter } from './stepped-store.ts'
import type { Deed } from './stepped-store.ts'
import type { Aftermath } from './view.ts'
import type { Played, Report } from './world.ts'
import { aside } from './interleave.ts'
import { credentialsOf, RENAMED } from './world.ts'

/**
 * Returns what is left for each step at which the process may have died. The store is as it was, the responses that had
 * left are there, and the memory is gone. `seen` keeps what was returned before.
 */
export async function* crashesOf(played: Played, seen: Set<string>): AsyncGenerator<Aftermath> {
  const { prepared, deeds: all } = played
  const stories = new Map(all.map((deed) => [deed, changes(deed) ? storyOf(deed) : '']))
  for (const deeds of cutsOf(all)) {
    if (deeds.length === all.length) continue
    const past = new Set(deeds)
    const reports = played.reports.map((report) => reportAt(report, all, past))
    const answered = reports.map(({ reply, startedAt }) => [reply?.status, reply?.cookie, startedAt === Infinity])
    // The same changes leave the same in the store.
    if (isKnown(seen, [deeds.map((deed) => stories.get(deed)).join(''), answered])) continue
    const contents = await aside(() => contentsAfter(prepared.now - prepared.lag, prepared.contents, deeds))
    const isIn = (what: string): boolean => deeds.some(({ name, args }) => name === 'loadUser' && args[0] === what)
    const changed = {
      ...(isIn('change') || isIn('delete') ? {} : { ...credentialsOf(played.scene), isGone: false }),
      ...(isIn('rename') ? {} : { userName: RENAMED }),
    }
    const index = [...contents.index].map(([user, entries]) => [user, [...entries]])
    if (isKnown(seen, [[...contents.records], index, answered, Object.keys(changed)])) continue
    yield { played: { ...played, ...changed }, contents, deeds, reports, isCrash: true }
  }
}

/** Tells whether something is among what was seen, and adds it. */
function isKnown(seen: Set<string>, what: readonly unknown[]): boolean {
  const text = JSON.stringify(what)
  const { size } = seen
  return seen.add(text).size === size
}

/** Returns a deed as text. */
function storyOf({ name, args, fate }: Deed): string {
  return `${JSON.stringify([name, args, fate])};`
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
