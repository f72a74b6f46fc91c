import { hashOf } from '../../lib/session/id.ts'
import { login } from '../../lib/session/actions.ts'
import { Recent } from '../../lib/storage/recent.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { PresentedId } from '../../lib/session/id.ts'
import type { Me, Server } from './server.ts'
import type { Contents, Deed } from './stepped-store.ts'
import type { Issued, Played, Report } from './world.ts'
import { elapsedIn, handleOf, openServer } from './world.ts'

/** The store and the clients after a run, or after a process died in the middle of one. */
export interface Aftermath {
  readonly played: Played
  readonly contents: Contents
  /** The steps that were taken. */
  readonly deeds: readonly Deed[]
  readonly reports: readonly Report[]
  /** Tells whether the process died, and another one goes on. */
  readonly isCrash: boolean
}

/** The session that a cookie opens in the end. */
export interface Found extends Me {
  readonly status: number
  /** The id that the response carried, if any. */
  readonly given?: string
}

export const NOBODY: Found = {
  status: 200,
  userId: null,
  actorId: null,
  name: null,
  pendingId: null,
  isFresh: false,
  isRecent: false,
  missing: [],
  endsAt: null,
  data: {},
}

/** Tells whether an id opened a session. */
export function isOpen({ userId, pendingId, data }: Pick<Me, 'userId' | 'pendingId' | 'data'>): boolean {
  return userId !== null || pendingId !== null || Object.keys(data).length > 0
}

/** Tells whether a session ends with those of a user. */
export function isOf({ userId, actorId }: Pick<Found, 'userId' | 'actorId'>, user: string): boolean {
  return userId === user || actorId === user
}

/** A client who comes later. */
export interface Visit {
  readonly cookie: string
  /** The time since the visit before, or since the end of the run, in milliseconds. */
  readonly after: number
  readonly isStranger?: boolean
  /** The visit whose new id is shown in place of the cookie. */
  readonly givenBy?: number
}

/** A guarantee of SECURITY.md, or a promise of the guides, and how to see that it was broken. */
export interface Guarantee {
  readonly name: string
  broken(view: View): Iterable<string> | AsyncIterable<string>
}

/** Answers to what clients asked who came later. Many scenes leave equal sessions. */
const answers = new Recent<Promise<unknown>>(20_000)

/** Records as texts. */
const texts = new WeakMap<SessionRecord, string>()

/** An aftermath, and what each cookie opens in it. */
export class View {
  readonly after: Aftermath
  readonly issued: readonly Issued[]
  /** The bound cookies that clients hold. */
  readonly #bound: readonly string[]
  readonly #found = new Map<string, Found>()
  #text: string | undefined

  constructor(after: Aftermath) {
    this.after = after
    const given = after.reports.flatMap(({ reply, actor }) =>
      typeof reply?.cookie === 'string' ? [{ value: reply.cookie, by: actor }] : [],
    )
    const { issued, bound } = after.played.prepared
    this.issued = [...issued, ...given]
    const grants = [bound?.grant, ...after.reports.map(({ reply }) => reply?.grant)]
    this.#bound = grants.flatMap((grant) => (grant === undefined ? [] : [grant.cookieValue]))
  }

  async look(): Promise<void> {
    const values = [...new Set(this.issued.map(({ value }) => value))]
    const bound = this.#bound.join()
    for (const value of values) {
      this.#found.set(value, await this.#once(`${value} ${bound}`, () => this.#ask(value), [value]))
    }
  }

  /**
   * Asks a question about what is in the store only once, because many runs end in the same way. A question about some
   * cookies is one about their sessions.
   */
  #once<Answer>(question: string, ask: () => Promise<Answer>, cookies?: readonly string[]): Promise<Answer> {
    const { records } = this.after.contents
    const handles = cookies === undefined ? records.keys() : new Set(cookies.map(handleOf))
    const key = [this.after.played.prepared.app, question, this.#state, ...this.#textsOf(handles)].join(' ')
    // The key names the question.
    const known = (answers.get(key) as Promise<Answer> | undefined) ?? ask()
    answers.set(key, known)
    return known
  }

  /** Returns the records of some sessions as texts. */
  #textsOf(handles: Iterable<string>): string[] {
    return Array.from(handles, (handle) => {
      const record = this.after.contents.records.get(handle)
      if (record === undefined) return handle
      const text = texts.get(record) ?? hashOf(JSON.stringify(record))
      texts.set(record, text)
      return text
    })
  }

  /** Everything but the records that clients may meet, as a text. */
  get #state(): string {
    const { contents, played } = this.after
    return (this.#text ??= hashOf(
      JSON.stringify([
        [...contents.index].map(([user, entries]) => [user, [...entries]]),
        [contents.cutoff, played.passwords, played.userName, played.isGone, this.elapsed],
      ]),
    ))
  }

  found(cookie: string | undefined): Found {
    return this.#found.get(cookie ?? '') ?? NOBODY
  }

  others(report: Report): readonly Report[] {
    return this.after.reports.filter((one) => one !== report)
  }

  /** Tells whether each login may end others, because of a limit. */
  get evicts(): boolean {
    return this.#isOnLimit('evict')
  }

  /** Tells whether a limit refuses logins. */
  get refuses(): boolean {
    return this.#isOnLimit('refuse')
  }

  /** Tells whether a copied session goes on, and its user has to log in for what needs a recent login. */
  get stepsUp(): boolean {
    return this.after.played.prepared.options.onCopiedSession === 'step-up'
  }

  #isOnLimit(wanted: 'evict' | 'refuse'): boolean {
    const { maxSessions } = this.after.played.prepared.options
    return typeof maxSessions === 'object' && maxSessions.onLimit === wanted
  }

  /** The time that passed until the end of the run, in milliseconds. */
  get elapsed(): number {
    return elapsedIn(this.after.deeds)
  }

  get hasFault(): boolean {
    return this.after.deeds.some(({ fate }) => fate !== 'done')
  }

  async #ask(cookie: string): Promise<Found> {
    const { server } = openServer(this.after.played, this.after.contents, this.elapsed)
    return this.#enter(server, cookie)
  }

  /** Shows a cookie as its client would, who holds bound cookies too. */
  async #enter(server: Server, cookie: string, isStranger = false): Promise<Found> {
    let found = NOBODY
    for (const bound of [undefined, ...this.#bound]) {
      const { status, me, cookie: given } = await server.request(() => undefined, { cookie, bound, isStranger })
      found = { ...(me ?? NOBODY), status, ...(typeof given === 'string' && { given }) }
      if (isOpen(found)) return found
    }
    return found
  }

  /** Returns what the clients find who come one after the other. */
  visit(visits: readonly Visit[]): Promise<readonly Found[]> {
    const ask = async (): Promise<readonly Found[]> => {
      const { server, clock } = openServer(this.after.played, this.after.contents, this.elapsed)
      const found: Found[] = []
      for (const { cookie, after, isStranger = false, givenBy } of visits) {
        clock.advance(after)
        const given = givenBy === undefined ? undefined : found[givenBy]?.given
        found.push(await this.#enter(server, given ?? cookie, isStranger))
      }
      return found
    }
    const cookies = visits.map(({ cookie }) => cookie)
    return this.#once(`visits ${JSON.stringify([visits, this.#bound])}`, ask, cookies)
  }

  /** Returns the session, the epoch and the generation of an id. */
  idOf(cookie: string): PresentedId | undefined {
    const { memo } = this.after.played.prepared
    const key = `id ${cookie}`
    if (!memo.has(key)) {
      memo.set(key, openServer(this.after.played, this.after.contents, this.elapsed).server.read(cookie)?.id)
    }
    return memo.get(key) as PresentedId | undefined
  }

  /** Returns the user whose session a cookie opens without a bound cookie. */
  alone(cookie: string): Promise<string | null> {
    return this.#once(`alone ${cookie}`, async () => {
      const { server } = openServer(this.after.played, this.after.contents, this.elapsed)
      const { me } = await server.request(() => undefined, { cookie })
      return me?.userId ?? null
    })
  }

  /** Returns the sessions that the cookies open after every session of every user was revoked. */
  afterRevocation(): Promise<readonly Found[]> {
    return this.#once(`revoked ${[...this.issued.map(({ value }) => value), ...this.#bound].join()}`, async () => {
      const { server } = openServer(this.after.played, this.after.contents, this.elapsed)
      for (const id of ['alice', 'bob']) await server.engine.users.revokeUser(id, undefined, 'revoked')
      const found: Found[] = []
      for (const { value } of this.issued) found.push(await this.#enter(server, value))
      return found
    })
  }

  /** Tells whether what a report sent to refresh a session refreshes it once more. */
  refreshesAgain({ cookie, actor }: Report): Promise<boolean> {
    const signed = this.after.played.prepared.signed[this.after.played.reports.findIndex((one) => one.actor === actor)]
    return this.#once(`again ${cookie} ${signed?.jws}`, async () => {
      const { server } = openServer(this.after.played, this.after.contents, this.elapsed)
      return (await server.prove({ cookie, jws: '', ...signed })).grant !== undefined
    })
  }

  /** Tells whether a client has shown a newer id of a record than the one in a cookie. */
  isReplaced(cookie: string | undefined, { generation, tip }: Pick<SessionRecord, 'generation' | 'tip'>): boolean {
    const id = this.idOf(cookie ?? '')
    return id !== undefined && id.generation < generation + (tip === null ? 0 : 1)
  }

  /** Returns the user and the session that the cookie of another library leads to, some time later. */
  moveLater(after: number): Promise<{ readonly userId: string | null; readonly cookie: string | undefined }> {
    return this.#once(`old ${after}`, async () => {
      const { server } = openServer(this.after.played, this.after.contents, this.elapsed + after)
      const { me, cookie } = await server.request(() => undefined, { cookie: undefined, old: 'old-session' })
      return { userId: me?.userId ?? null, cookie: cookie ?? undefined }
    })
  }

  /** Returns the error that a login meets, some minutes later and after some others. */
  async loginsLater(count: number): Promise<string | undefined> {
    return this.#once(`logins ${count}`, async () => {
      const { server } = openServer(this.after.played, this.after.contents, this.elapsed + 240_000)
      for (let left = count; left > 0; left -= 1) {
        const { code } = await server.request((session) => login(session, { id: 'alice' }), { cookie: undefined })
        if (code !== undefined) return code
      }
      return undefined
    })
  }
}
