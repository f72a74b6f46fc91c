import { Jar } from '../support/jar.ts'
import type { Random } from './random.ts'
import type { Answer, Asked, Servers } from './server.ts'
import type { Timeline } from './timeline.ts'
import { DAY, HOUR, MINUTE, SECOND } from './timeline.ts'

/** Chromium writes its jar this long after the first change (net/extras/sqlite). */
const DISK_DELAY = 30 * SECOND

/** The time after which a page gives up on a response. */
const PATIENCE = 150 * SECOND

/** Faults, and how often they happen. Each number is a probability per request unless it says otherwise. */
export interface Faults {
  /** The response never arrives. */
  readonly lost?: number
  /** A proxy drops `Set-Cookie`. */
  readonly stripped?: number
  /** The request, or its response, takes up to 120 s. */
  readonly stalled?: number
  /** The browser sends the request 5–65 s after it made the header. */
  readonly queued?: number
  /** A proxy sends the request again, after 60 s, and gives the second response to the client. */
  readonly repeated?: number
  /** A proxy sends the request twice at once, and gives the first response to the client. */
  readonly doubled?: number
  /** Per page: the browser is killed within 45 s. */
  readonly killed?: number
  /** Per page: the app around the browser is updated, which kills it and starts it again at once. */
  readonly updated?: number
  /** Per visit: the jar is that of a backup of yesterday. */
  readonly restored?: number
  /** Per page: the record is set back by up to a minute. */
  readonly setBack?: number
  /** Per page: a worker repeats a request 1–120 s later with the header of then. */
  readonly staleWorker?: number
  /** Per page: what another page would need is fetched ahead. */
  readonly prefetched?: number
  /** Per page: the next click takes an hour, then all open tabs ask at once. */
  readonly asleep?: number
  /** Per page: it comes out of the back-forward cache, and its old requests are dropped. */
  readonly frozen?: number
}

/** The way in which a person uses the app. */
export interface Habits {
  /** Pages of a visit. */
  readonly pages: readonly [number, number]
  /** Requests of a page beside its document, at most. */
  readonly parts: number
  /** Mean time on a page. */
  readonly think: number
  /** Mean time between visits, in milliseconds. */
  readonly away: number
  readonly remember: number
  /** `first`: an event stream of the whole visit is opened before its first page; `beside`: each page has one. */
  readonly stream?: 'first' | 'beside'
  readonly poll?: boolean
  /** The offset of the client's clock, in milliseconds. */
  readonly clock?: number
  /** Native code beside the web view, with a jar of its own that starts as a copy of the first. */
  readonly secondJar?: boolean
}

/** The surroundings that all browsers of a simulation share. */
interface World {
  readonly time: Timeline
  readonly servers: Servers
  readonly count: number
  readonly random: Random
}

/** Counts of what happened to the people. */
export interface Tally {
  /** Requests answered as nobody's although the session had neither expired nor been left. */
  strangers: number
  logins: number
}

/** One person with one browser: an honest jar in memory, and its copy on disk. */
export class Browser {
  jar = new Jar()
  #disk = new Jar()
  #backup = new Jar()
  #isWriting = false
  /** Grows when the browser is killed: what is in flight then is for nobody. */
  #life = 0
  /** Grows when a page is left: its event stream and long poll end. */
  #page = 0
  #native: Jar | undefined
  #loggedInAt = -Infinity
  #servedAt = -Infinity
  #remembers = false
  #isLoggingIn = false
  readonly #world: World
  readonly #userId: string
  readonly #habits: Habits
  readonly #faults: Faults
  readonly #tally: Tally
  readonly #userAgent: string

  constructor(world: World, userId: string, habits: Habits, faults: Faults, tally: Tally) {
    this.#world = world
    this.#userId = userId
    this.#habits = habits
    this.#faults = faults
    this.#tally = tally
    this.#userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/${130 + world.random.whole(0, 9)}.0.0.0`
  }

  start(): void {
    const { time, random } = this.#world
    time.after(random.between(0, HOUR), () => this.#visit())
    this.#backUp()
  }

  get #clock(): number {
    return this.#world.time.now + (this.#habits.clock ?? 0)
  }

  /** Yesterday's jar, once a day. */
  #backUp(): void {
    let yesterday = new Jar()
    const daily = (): void => {
      this.#backup = yesterday
      yesterday = this.#disk.copy()
      this.#world.time.after(DAY, daily)
    }
    daily()
  }

  async #visit(): Promise<void> {
    const { random } = this.#world
    const isLongAway = this.#world.time.now - this.#servedAt > 20 * MINUTE
    if (random.chance(this.#faults.restored ?? 0) && isLongAway && !this.#backup.isEmpty) {
      this.#life += 1
      this.jar = this.#backup.copy()
      this.#disk = this.#backup.copy()
    }
    if (this.#habits.secondJar === true) this.#native = this.jar.copy()
    if (this.#habits.stream === 'first') this.#stream(undefined, this.#life)
    await this.#open(random.whole(...this.#habits.pages))
  }

  async #open(pagesLeft: number): Promise<void> {
    const { time, random } = this.#world
    this.#page += 1
    const page = this.#page
    const life = this.#life
    if (pagesLeft === 0) return this.#leave()
    if (random.chance(this.#faults.setBack ?? 0)) {
      await this.#world.servers.setBack(this.jar.header(this.#clock), random.between(0, MINUTE))
    }
    if (random.chance(this.#faults.frozen ?? 0)) this.#life += 1
    if (this.#habits.stream === 'first' && random.chance(0.1)) this.#stream(undefined, this.#life)
    const isKilled = random.chance(this.#faults.killed ?? 0)
    const isUpdated = !isKilled && random.chance(this.#faults.updated ?? 0)
    // Half of the clicks are views of an app in the page: all requests leave at once.
    const isAtOnce = random.chance(0.5)
    let isDone = false
    const next = (): void => {
      if (isDone) return
      isDone = true
      if (!isAtOnce) this.#parts(300)
      this.#beside(page)
      // People sometimes click again while the page is still loading.
      const isHasty = random.chance(0.15)
      const think = isHasty ? random.between(100, SECOND) : 2 * SECOND + random.exponential(this.#habits.think)
      const pause = random.chance(this.#faults.asleep ?? 0) ? HOUR + random.between(0, 10 * MINUTE) : think
      if (isKilled || isUpdated) time.after(random.between(SECOND, 45 * SECOND), () => this.#kill(pagesLeft, isUpdated))
      else time.after(pause, () => this.#open(pagesLeft - 1))
    }
    if (isAtOnce) this.#parts(50)
    this.#send(life, (answer) => {
      if (answer.userId === null && !isDone) void this.#logIn(next)
      else next()
    })
    time.after(random.chance(0.5) ? PATIENCE : 20 * SECOND, next)
  }

  /** Sends the other requests of a page, within so many milliseconds. */
  #parts(within: number): void {
    const { time, random } = this.#world
    const life = this.#life
    for (let part = random.whole(0, this.#habits.parts); part > 0; part -= 1) {
      time.after(random.between(0, within), () => this.#send(life))
    }
  }

  /** Starts the requests that go on beside a page. */
  #beside(page: number): void {
    const { time, random } = this.#world
    const life = this.#life
    if (this.#habits.stream === 'beside') this.#stream(page, life)
    if (this.#habits.poll === true) time.after(100, () => this.#poll(page, life))
    if (random.chance(this.#faults.prefetched ?? 0)) {
      for (let link = 0; link < 3; link += 1) time.after(random.between(0, 5 * SECOND), () => this.#send(life))
    }
    if (random.chance(this.#faults.staleWorker ?? 0)) {
      const header = this.jar.header(this.#clock)
      time.after(random.between(SECOND, 120 * SECOND), () => this.#send(life, undefined, header))
    }
    if (this.#native !== undefined) {
      const native = this.#native
      time.after(random.between(0, 5 * SECOND), () => this.#sendFrom(native, life))
    }
  }

  #leave(): void {
    const { time, random } = this.#world
    time.after(random.exponential(this.#habits.away) + 30 * SECOND, () => this.#visit())
  }

  #kill(pagesLeft: number, isUpdated: boolean): void {
    const { time, random } = this.#world
    this.#life += 1
    this.#page += 1
    this.jar = this.#disk.copy()
    this.#isWriting = false
    // A login that never reached the disk is lost with the browser.
    if (this.#world.time.now - this.#loggedInAt < DISK_DELAY + SECOND) this.#loggedInAt = -Infinity
    // People mostly open the browser again at once, and sometimes much later.
    const isSoon = isUpdated || random.chance(0.5)
    if (isSoon) time.after(random.between(SECOND, 20 * SECOND), () => this.#open(pagesLeft))
    else this.#leave()
  }

  /** Logs the person in by a request of its own, which no fault touches. */
  async #logIn(next: () => void): Promise<void> {
    const { time, random, servers } = this.#world
    if (this.#isLoggingIn) return
    this.#isLoggingIn = true
    this.#remembers = random.chance(this.#habits.remember)
    time.after(5 * SECOND, async () => {
      const answer = await servers.ask(this.#asked('login', this.jar.header(this.#clock)))
      this.#take(this.jar, answer)
      this.#native &&= this.jar.copy()
      this.#tally.logins += 1
      this.#loggedInAt = time.now
      this.#servedAt = time.now
      this.#isLoggingIn = false
      next()
    })
  }

  #asked(kind: Asked['kind'], cookie: string): Asked {
    const { random, count } = this.#world
    return {
      kind,
      cookie,
      userId: this.#userId,
      remember: this.#remembers,
      userAgent: this.#userAgent,
      server: count === 1 ? 0 : random.whole(0, count - 1),
    }
  }

  /** Keeps cookies, and sees to it that they are on disk 30 s after the first change. */
  #take(jar: Jar, { setCookies }: Answer): void {
    if (setCookies.length === 0) return
    jar.take(setCookies, this.#clock)
    if (this.#isWriting || jar !== this.jar) return
    const life = this.#life
    this.#isWriting = true
    this.#world.time.after(DISK_DELAY, () => {
      if (life !== this.#life) return
      this.#isWriting = false
      this.#disk = this.jar.copy()
    })
  }

  #send(life: number, onAnswer?: (answer: Answer) => void, header?: string): void {
    this.#sendFrom(undefined, life, onAnswer, header)
  }

  #sendFrom(jar: Jar | undefined, life: number, onAnswer?: (answer: Answer) => void, stale?: string): void {
    const { time, random } = this.#world
    if (life !== this.#life) return
    const header = stale ?? (jar ?? this.jar).header(this.#clock)
    const queue = random.chance(this.#faults.queued ?? 0) ? random.between(5 * SECOND, 65 * SECOND) : 0
    time.after(queue + this.#travel(), async () => {
      const answer = await this.#atServer(header)
      if (random.chance(this.#faults.doubled ?? 0)) await this.#atServer(header)
      const isRepeated = random.chance(this.#faults.repeated ?? 0)
      if (isRepeated) {
        time.after(60 * SECOND, async () => this.#reply(await this.#atServer(header), jar, life, onAnswer))
      } else {
        this.#reply(answer, jar, life, onAnswer)
      }
    })
  }

  async #atServer(header: string): Promise<Answer> {
    const answer = await this.#world.servers.ask(this.#asked('page', header))
    this.#judge(answer, header)
    return answer
  }

  #reply(answer: Answer, jar: Jar | undefined, life: number, onAnswer?: (answer: Answer) => void): void {
    const { time, random } = this.#world
    if (random.chance(this.#faults.lost ?? 0)) return
    const given = random.chance(this.#faults.stripped ?? 0) ? { ...answer, setCookies: [] } : answer
    time.after(this.#travel(), () => {
      if (life !== this.#life) return
      this.#take(jar ?? this.jar, given)
      onAnswer?.(given)
    })
  }

  #travel(): number {
    const { random } = this.#world
    const isStalled = random.chance((this.#faults.stalled ?? 0) / 2)
    if (isStalled) return random.between(0, 120 * SECOND)
    return random.chance(0.05) ? random.between(200, 5 * SECOND) : random.between(20, 200)
  }

  /** Notes an answer that takes somebody for nobody whose session must be there. */
  #judge({ userId }: Answer, header: string): void {
    const { now } = this.#world.time
    if (userId !== null) {
      this.#servedAt = now
      return
    }
    if (header === '' || this.#isLoggingIn) return
    const isIdle = !this.#remembers && now - this.#servedAt > 27 * MINUTE
    const isOld = now - this.#loggedInAt > (this.#remembers ? 14 * DAY : 12 * HOUR) - MINUTE
    // A request that left before the login came back has the cookie from before it.
    const isEarly = now - this.#loggedInAt < 5 * MINUTE
    if (isIdle || isOld || isEarly) return
    this.#tally.strangers += 1
    this.#loggedInAt = -Infinity
  }

  /** Opens an event stream: of a page, which ends with it, or of the whole visit. */
  #stream(page: number | undefined, life: number): void {
    const { time, random, servers } = this.#world
    if (life !== this.#life) return
    const header = this.jar.header(this.#clock)
    time.after(this.#travel(), async () => {
      const held = await servers.hold(this.#asked('page', header), 'stream')
      const take = (answer: Answer): void => {
        if (life === this.#life && (page ?? this.#page) === this.#page) this.#take(this.jar, answer)
      }
      if (held.early !== undefined) time.after(this.#travel(), () => take(held.early as Answer))
      time.after(random.exponential(40 * SECOND), async () => {
        const answer = await held.finish()
        if (held.early === undefined) time.after(this.#travel(), () => take(answer))
      })
    })
  }

  #poll(page: number, life: number): void {
    const { time, random, servers } = this.#world
    if (life !== this.#life || page !== this.#page) return
    const header = this.jar.header(this.#clock)
    time.after(this.#travel(), async () => {
      const held = await servers.hold(this.#asked('page', header), 'poll')
      time.after(random.between(SECOND, 55 * SECOND), async () => {
        const answer = await held.finish()
        time.after(this.#travel(), () => {
          if (life !== this.#life) return
          this.#take(this.jar, answer)
          this.#poll(page, life)
        })
      })
    })
  }
}
