import type { Tally } from './browser.ts'
import { Browser } from './browser.ts'
import { Random } from './random.ts'
import type { Scenario } from './scenarios.ts'
import { USUAL } from './scenarios.ts'
import type { MakeServers, Servers } from './server.ts'
import { Timeline } from './timeline.ts'

/** The result of a scenario. */
export interface HonestResult {
  readonly name: string
  readonly requests: number
  readonly renewals: number
  /** Sessions that ended as copied. */
  readonly copied: number
  /** Requests of people who were taken for nobody while their session had neither expired nor been left. */
  readonly strangers: number
  readonly logins: number
}

/** 2026-01-01T00:00:00Z. */
export const START = Date.UTC(2026, 0, 1)

/** Lets people use an app until it has answered so many requests. */
export async function runScenario(
  scenario: Scenario,
  makeServers: MakeServers,
  options: { readonly seed: number; readonly requests: number; readonly people?: number },
): Promise<HonestResult & { servers: Servers }> {
  const { seed, requests, people = 40 } = options
  const time = new Timeline(START)
  const skews = scenario.skews ?? [0]
  const servers = await makeServers({ now: () => time.now, skews, isSetBack: scenario.faults?.setBack !== undefined })
  const random = new Random(`${seed} ${scenario.name}`)
  const tally: Tally = { strangers: 0, logins: 0 }
  const habits = { ...USUAL, ...scenario.habits }
  for (let person = 0; person < people; person += 1) {
    const world = { time, servers, random, count: skews.length }
    new Browser(world, `user-${person}`, habits, scenario.faults ?? {}, tally).start()
  }
  await time.run(() => servers.requests >= requests)
  await servers.close()
  const { copied, renewals } = servers
  return { name: scenario.name, requests: servers.requests, renewals, copied, ...tally, servers }
}
