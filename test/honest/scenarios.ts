import type { Faults, Habits } from './browser.ts'
import { HOUR, MINUTE, SECOND, DAY } from './timeline.ts'

/** People, what goes wrong around them, and the servers they meet. */
export interface Scenario {
  readonly name: string
  readonly habits?: Partial<Habits>
  readonly faults?: Faults
  /** The offset of each server's clock, in milliseconds. */
  readonly skews?: readonly number[]
  /** Tells whether sessions may end as copied, because the jars are truly two. */
  readonly mayEnd?: boolean
}

export const USUAL: Habits = { pages: [3, 25], parts: 4, think: 25 * SECOND, away: 4 * HOUR, remember: 0.5 }

/** Short visits by phone. */
const PHONE = { pages: [1, 5], parts: 2, think: 8 * SECOND, away: 40 * MINUTE, remember: 0.7 } as const

export const SCENARIOS: readonly Scenario[] = [
  { name: 'nothing goes wrong' },
  { name: '5 % of responses lost', faults: { lost: 0.05 } },
  { name: '50 % of responses lost', faults: { lost: 0.5 } },
  { name: 'Set-Cookie stripped from 90 %', faults: { stripped: 0.9 } },
  { name: 'long polls', habits: { poll: true } },
  { name: '1 % of requests stall up to 120 s', faults: { stalled: 0.01 } },
  { name: '5 % stall, 5 % lost', faults: { stalled: 0.05, lost: 0.05 } },
  { name: '1 % wait 5–65 s in the browser with their old header', faults: { queued: 0.01 } },
  { name: 'browser killed on 1 of 50 pages', faults: { killed: 0.02 } },
  { name: 'phone: killed on 1 of 5 pages, short visits', habits: PHONE, faults: { killed: 0.2 } },
  { name: 'event stream opened first, headers leave with its first event', habits: { stream: 'first' } },
  { name: 'event stream opened beside the page', habits: { stream: 'beside' } },
  { name: 'two servers, clocks 35 s apart', skews: [0, 35 * SECOND] },
  { name: 'two servers, clocks 2 min apart', skews: [0, 2 * MINUTE] },
  { name: 'two servers, clocks 5 min apart', skews: [0, 5 * MINUTE] },
  { name: 'failover sets a record back by up to a minute', faults: { setBack: 0.02 } },
  { name: 'back-forward cache', faults: { frozen: 0.1 } },
  { name: 'prefetch and prerender', faults: { prefetched: 0.5, stalled: 0.01 } },
  { name: 'service worker repeats with stale headers', faults: { staleWorker: 0.05 } },
  { name: 'jar restored from a backup of yesterday', habits: { remember: 1 }, faults: { restored: 0.02 } },
  { name: 'phone with a clock a day ahead', habits: { ...PHONE, clock: DAY } },
  { name: 'phone with a clock a year behind', habits: { ...PHONE, clock: -365 * DAY } },
  { name: 'proxy repeats 1 % of requests after 60 s', faults: { repeated: 0.01 } },
  { name: 'proxy sends 5 % of requests twice', faults: { doubled: 0.05 } },
  { name: 'CDN strips Set-Cookie from half, 1 % repeated', faults: { stripped: 0.5, repeated: 0.01 } },
  { name: 'tabs asleep for an hour', habits: { remember: 1 }, faults: { asleep: 0.1 } },
  { name: 'app update restarts the web view', habits: PHONE, faults: { updated: 0.1 } },
  {
    name: 'all at once: stalls, losses, queues, kills, repeats',
    habits: { stream: 'beside' },
    faults: { stalled: 0.02, lost: 0.02, queued: 0.01, killed: 0.05, repeated: 0.005, setBack: 0.002 },
  },
  { name: 'phone: killed on 1 of 5 pages, 5 % stall', habits: PHONE, faults: { killed: 0.2, stalled: 0.05 } },
  {
    name: 'two servers 2 min apart, killed on 1 of 50 pages, 1 % stall',
    skews: [0, 2 * MINUTE],
    faults: { killed: 0.02, stalled: 0.01 },
  },
  { name: 'web view beside native code, two jars', habits: { secondJar: true }, mayEnd: true },
]
