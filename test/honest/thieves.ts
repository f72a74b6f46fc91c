import { Jar } from '../support/jar.ts'
import { Random } from './random.ts'
import type { Answer, Asked, MakeServers, Servers } from './server.ts'
import { DAY, HOUR, MINUTE, SECOND, Timeline } from './timeline.ts'
import { START } from './honest.ts'

/** The times at which a thief asks, and the cookie that the thief shows. */
interface Strategy {
  readonly name: string
  /** `once`: shows a renewed id once, then the copied one again. */
  readonly renewed: 'takes' | 'drops' | 'once'
  readonly when: 'every minute' | 'starve' | 'from time to time' | 'while away' | 'after a visit' | 'waits'
}

export const STRATEGIES: readonly Strategy[] = [
  { name: 'every minute, takes renewed ids', when: 'every minute', renewed: 'takes' },
  { name: 'every minute, drops Set-Cookie', when: 'every minute', renewed: 'drops' },
  { name: 'asks 30 s after each renewal is offered, drops Set-Cookie', when: 'starve', renewed: 'drops' },
  { name: 'from time to time, takes renewed ids', when: 'from time to time', renewed: 'takes' },
  { name: 'from time to time, drops Set-Cookie', when: 'from time to time', renewed: 'drops' },
  { name: 'only while the owner is away, takes renewed ids', when: 'while away', renewed: 'takes' },
  { name: 'only while the owner is away, drops Set-Cookie', when: 'while away', renewed: 'drops' },
  { name: 'after each visit', when: 'after a visit', renewed: 'drops' },
  { name: 'shows the renewed id once, then the old one', when: 'every minute', renewed: 'once' },
  { name: 'waits hours or days', when: 'waits', renewed: 'takes' },
]

/** Default lifetimes (idle 30 minutes, absolute 12 hours), or remembered for 14 days. */
export type Lifetime = 'idle' | 'remember'
export const LIFETIMES = ['idle', 'remember'] as const satisfies readonly Lifetime[]

/** `value`: the session cookie alone, and another User-Agent. `everything`: all cookies, and the owner's User-Agent. */
export type Loot = 'value' | 'everything'
export const LOOTS = ['value', 'everything'] as const satisfies readonly Loot[]

export interface ThiefResult {
  readonly strategy: string
  readonly copies: number
  /** Minutes from the first answer as the owner to the last, mean over all copies. */
  readonly minutes: number
  /** The share of the useful copies that no event spoke of before the session's natural end. */
  readonly unnoticed: number
  readonly useful: number
}

/** One visit of the owner: the instants of its requests. */
type Visit = readonly number[]

/** An event that ends the copy's use for sure. */
export type Ending = 'logout' | 'password' | 'login'
export const ENDINGS = ['logout', 'password', 'login'] as const satisfies readonly Ending[]

const OWNER_AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36'
const OTHER_AGENT = 'python-requests/2.32.3'

/** Returns the visits of the owner, from the login on. The thief knows them. */
function visitsOf(random: Random, lifetime: Lifetime): Visit[] {
  return lifetime === 'idle' ? officeDay(random) : fortnight(random)
}

/** Returns a working day with pauses; some of them are longer than the idle timeout. */
function officeDay(random: Random): Visit[] {
  const visits: Visit[] = []
  const end = random.between(4 * HOUR, 11 * HOUR)
  for (let at = 0; at < end;) {
    const visit = visitAt(random, at)
    visits.push(visit)
    at = (visit.at(-1) ?? at) + MINUTE + random.exponential(12 * MINUTE)
  }
  return visits
}

/** Returns the visits of two weeks: up to four a day, between morning and night, and some days off. */
function fortnight(random: Random): Visit[] {
  const visits: Visit[] = [visitAt(random, 0)]
  const first = random.between(8 * HOUR, 20 * HOUR)
  for (let day = 0; day < 15; day += 1) {
    if (random.chance(0.15)) continue
    const instants = Array.from(
      { length: random.whole(1, 4) },
      () => day * DAY + random.between(8 * HOUR, 23 * HOUR) - first,
    )
    for (const at of instants.toSorted((a, b) => a - b)) {
      if (at > (visits.at(-1)?.at(-1) ?? 0) + 10 * MINUTE) visits.push(visitAt(random, at))
    }
  }
  return visits
}

function visitAt(random: Random, start: number): number[] {
  const visit: number[] = []
  let at = start + 5 * SECOND
  for (let pages = random.whole(2, 25); pages > 0; pages -= 1) {
    visit.push(Math.round(at))
    at += 2 * SECOND + random.exponential(30 * SECOND)
  }
  return visit
}

/** One copy of one owner's cookies, and what became of it. */
class Episode {
  readonly userId: string
  isNoticed = false
  isOver = false
  firstAt: number | undefined
  lastAt = 0
  /** Answers as the owner after the ending. */
  late = 0
  readonly #time: Timeline
  readonly #servers: Servers
  readonly #random: Random
  readonly #strategy: Strategy
  readonly #loot: Loot
  readonly #remember: boolean
  readonly #visits: Visit[]
  readonly #end: number
  readonly #owner = new Jar()
  readonly #ending: Ending | undefined
  #thief = new Jar()
  #original = new Jar()
  #isEnded = false

  constructor(time: Timeline, servers: Servers, userId: string, plan: Plan, random: Random) {
    this.#time = time
    this.#servers = servers
    this.userId = userId
    this.#random = random
    this.#strategy = plan.strategy
    this.#loot = plan.loot
    this.#ending = plan.ending
    this.#remember = plan.lifetime === 'remember'
    this.#visits = visitsOf(random, plan.lifetime).map((visit) => visit.map((at) => START + Math.round(at)))
    this.#end = START + (this.#remember ? 14 * DAY : 12 * HOUR)
  }

  get minutes(): number {
    return this.firstAt === undefined ? 0 : (this.lastAt - this.firstAt) / MINUTE + 1
  }

  start(): void {
    const pages = this.#visits.flat().filter((at) => at < this.#end)
    const alive = this.#remember ? pages : pages.slice(0, firstPause(pages))
    const copied = (alive[this.#random.whole(0, alive.length - 1)] ?? START) + SECOND
    this.#time.at(START, async () => this.#take(this.#owner, await this.#asOwner('login')))
    this.#time.at(copied, () => this.#copy())
    this.#page(pages, 0)
    if (this.#ending !== undefined) this.#time.at(copied + this.#random.exponential(2 * HOUR), () => this.#finish())
  }

  /** Plays one page of the owner after the other. */
  #page(pages: readonly number[], index: number): void {
    const at = pages[index]
    if (at === undefined) return
    this.#time.at(at, async () => {
      if (this.isOver) return
      for (let part = this.#random.whole(1, 3); part > 0; part -= 1) {
        const answer = await this.#asOwner('page')
        this.#take(this.#owner, answer)
        if (answer.userId === null) this.#take(this.#owner, await this.#asOwner('login'))
      }
      this.#page(pages, index + 1)
    })
  }

  /**
   * Ends the copy's use: the owner logs out, changes the password, or logs in again. Then the thief tries all there is.
   */
  async #finish(): Promise<void> {
    if (this.isOver) return
    const kind = this.#ending as Ending
    const before = await this.#asOwner('page')
    this.#take(this.#owner, before)
    if (before.userId === null) return void (this.isOver = true)
    this.#take(this.#owner, await this.#asOwner(kind))
    this.#isEnded = true
    for (let minutes = 0; minutes < 40; minutes += 4) {
      this.#time.after(minutes * MINUTE, async () => {
        for (const jar of [this.#thief, this.#original]) {
          if ((await this.#asThief(jar)).userId === this.userId) this.late += 1
        }
        if (minutes === 36) this.isOver = true
      })
    }
  }

  #asOwner(kind: Asked['kind']): Answer | Promise<Answer> {
    return this.#ask(kind, this.#owner, OWNER_AGENT)
  }

  #asThief(jar: Jar): Answer | Promise<Answer> {
    return this.#ask('page', jar, this.#loot === 'everything' ? OWNER_AGENT : OTHER_AGENT)
  }

  #ask(kind: Asked['kind'], jar: Jar, userAgent: string): Answer | Promise<Answer> {
    const cookie = jar.header(this.#time.now)
    return this.#servers.ask({ kind, userId: this.userId, remember: this.#remember, cookie, userAgent, server: 0 })
  }

  #take(jar: Jar, { setCookies }: Answer): void {
    jar.take(setCookies, this.#time.now)
  }

  #copy(): void {
    const { when } = this.#strategy
    this.#original = this.#loot === 'everything' ? this.#owner.copy() : this.#owner.only('session')
    this.#thief = this.#original.copy()
    const first = this.#nextAfter(this.#time.now, true)
    if (when !== 'waits') return this.#plan(first)
    const pause = this.#remember ? this.#random.between(DAY, 7 * DAY) : this.#random.between(HOUR, 6 * HOUR)
    this.#plan(this.#time.now + pause)
  }

  #plan(at: number): void {
    if (at >= this.#end) return
    this.#time.at(at, () => this.#try())
  }

  async #try(): Promise<void> {
    if (this.isOver || this.#isEnded) return
    const { renewed } = this.#strategy
    const { now } = this.#time
    const answer = await this.#asThief(this.#thief)
    if (answer.userId !== this.userId) {
      if (this.#ending === undefined) this.isOver = true
      return
    }
    this.firstAt ??= now
    this.lastAt = now
    const isOffered = answer.setCookies.length > 0
    if (renewed === 'once') {
      const isOriginal = this.#thief.header(now) === this.#original.header(now)
      if (isOffered && isOriginal) this.#take(this.#thief, answer)
      else this.#thief = this.#original.copy()
    }
    if (renewed === 'takes') this.#take(this.#thief, answer)
    this.#plan(this.#nextAfter(now, false, isOffered))
  }

  #nextAfter(now: number, isFirst: boolean, isOffered = false): number {
    switch (this.#strategy.when) {
      case 'starve':
        return now + (isOffered ? 30 * SECOND : MINUTE)
      case 'from time to time':
        return now + this.#random.exponential(this.#remember ? DAY : 2 * HOUR)
      case 'while away':
        return this.#whileAway(now + MINUTE)
      case 'after a visit':
        return this.#visits.map((visit) => (visit.at(-1) ?? 0) + MINUTE).find((at) => at > now) ?? Infinity
      default:
        return now + (isFirst ? 30 * SECOND : MINUTE)
    }
  }

  /** Returns the next instant that is at least two minutes away from every visit. */
  #whileAway(from: number): number {
    let at = from
    for (const visit of this.#visits) {
      const [start, end] = [(visit[0] ?? 0) - 2 * MINUTE, (visit.at(-1) ?? 0) + 2 * MINUTE]
      if (at > start && at < end) at = end
    }
    return at
  }
}

/** Returns how many requests come before the first pause that the idle timeout ends. */
function firstPause(pages: readonly number[]): number {
  const index = pages.findIndex((at, position) => position > 0 && at - (pages[position - 1] ?? 0) > 28 * MINUTE)
  return index === -1 ? pages.length : index
}

interface Plan {
  readonly strategy: Strategy
  readonly lifetime: Lifetime
  readonly loot: Loot
  readonly ending?: Ending | undefined
}

/** Plays thieves against the same owners and copies for each seed, whatever the rule. */
export async function runThieves(
  plan: Plan,
  makeServers: MakeServers,
  options: { readonly seed: number; readonly copies: number; readonly requests?: number },
): Promise<ThiefResult & { late: number; requests: number; episodes: readonly { minutes: number }[] }> {
  const time = new Timeline(START)
  const episodes = new Map<string, Episode>()
  const onCopied = (userId: string | null): void => {
    const episode = episodes.get(userId ?? '')
    if (episode !== undefined) episode.isNoticed = true
  }
  const servers = await makeServers({ now: () => time.now, skews: [0], onCopied })
  for (let copy = 0; copy < options.copies; copy += 1) {
    const userId = `owner-${copy}`
    const random = new Random(`${options.seed} ${plan.lifetime} ${plan.strategy.name} ${copy}`)
    const episode = new Episode(time, servers, userId, plan, random)
    episodes.set(userId, episode)
    episode.start()
  }
  await time.run()
  await servers.close()
  const all = [...episodes.values()]
  const useful = all.filter(({ firstAt }) => firstAt !== undefined)
  return {
    strategy: plan.strategy.name,
    copies: all.length,
    minutes: all.reduce((sum, { minutes }) => sum + minutes, 0) / all.length,
    useful: useful.length,
    unnoticed: useful.length === 0 ? 0 : useful.filter(({ isNoticed }) => !isNoticed).length / useful.length,
    late: all.reduce((sum, { late }) => sum + late, 0),
    requests: servers.requests,
    episodes: all,
  }
}
