import type { History, Operation, Saw } from './history.ts'
import type { Answer } from './visit.ts'
import { visit } from './visit.ts'

/** The surroundings that all lives share. */
interface World {
  /** Numbers from 0 to 1. */
  readonly draw: () => number
  /** The origin of a server, another one each time. */
  readonly origin: () => string
  /** The next instant. */
  readonly tick: () => number
  /** Hears of each answer. */
  readonly onAnswer: (isUnknown: boolean) => void
}

/** A session as a browser knows it. */
interface Session {
  cookie: string
  readonly operations: Operation[]
  /** The session whose record this one took over, because the same user logged in again. */
  readonly before: Session | undefined
}

const CLIENTS = 3
const STEPS = 12

/** The number of questions after which a store that does not answer is left alone. */
const MOST_LOOKS = 40

/** The share of each kind of step. Ends are rare, so that there is something to end. */
const SHARES = { write: 0.5, read: 0.36, logout: 0.03, everywhere: 0.03, revoke: 0.02, login: 0.03, again: 0.03 }
type Step = keyof typeof SHARES

/** One user with a few browsers, each of which sends several requests at once. */
export class Life {
  readonly #world: World
  readonly #user: string
  readonly #sessions: Session[] = []
  /** Ends that meet each session of the user. */
  readonly #ends: Operation[] = []
  #notes = 0

  constructor(world: World, user: string) {
    this.#world = world
    this.#user = user
  }

  /** Lives, and returns the history of each session. */
  async run(): Promise<readonly History[]> {
    await this.#logIn('first')
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#stepOften(`client ${index + 1}`)))
    for (const session of this.#sessions) await this.#lookUntilAnswered(session)
    return this.#sessions.map(({ operations, before }) => [...operations, ...this.#ends, ...endsBefore(before)])
  }

  async #stepOften(client: string): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) await this.#step(client, this.#chooseStep())
  }

  #chooseStep(): Step {
    let rest = this.#world.draw()
    for (const [step, share] of Object.entries(SHARES)) {
      rest -= share
      if (rest < 0) return step as Step
    }
    return 'write'
  }

  async #step(client: string, step: Step): Promise<void> {
    const session = this.#sessions[Math.floor(this.#world.draw() * this.#sessions.length)]
    if (session === undefined || step === 'login') return this.#logIn(client)
    if (step === 'again') return this.#logIn(client, session)
    if (step === 'read') return void (await this.#read(client, session))
    if (step === 'write') return this.#write(client, session)
    if (step === 'logout') return this.#logOut(client, session)
    return this.#endAll(client, step, session)
  }

  async #logIn(client: string, before?: Session): Promise<void> {
    const note = this.#newNote()
    const from = this.#world.tick()
    const answer = await this.#visit('/login', before?.cookie, { user: this.#user, note })
    const until = this.#world.tick()
    const saw = outcomeOf(answer)
    if (saw !== 'nobody') before?.operations.push({ client, call: { kind: 'end' }, saw, from, until })
    if (saw === 'unknown') before?.operations.push({ client, call: { kind: 'revive' }, saw, from, until })
    if (saw !== 'done') return
    if (answer?.cookie === undefined) throw new Error('a login without a cookie')
    const began: Operation = { client, call: { kind: 'begin', note }, saw, from, until }
    this.#sessions.push({ cookie: answer.cookie, operations: [began], before })
  }

  async #read(client: string, session: Session): Promise<Saw> {
    const from = this.#world.tick()
    const answer = await this.#visit('/me', session.cookie)
    const until = this.#world.tick()
    const saw = this.#readingOf(answer)
    session.operations.push({ client, call: { kind: 'read' }, saw, from, until })
    this.#keepCookie(session, answer)
    return saw
  }

  #readingOf(answer: Answer | undefined): Saw {
    const saw = outcomeOf(answer)
    if (saw !== 'done' || answer === undefined) return saw
    const { user, note } = answer.body
    if (user === null) return 'nobody'
    if (user !== this.#user) throw new Error('a session shows another user')
    return { note: String(note) }
  }

  async #write(client: string, session: Session): Promise<void> {
    const note = this.#newNote()
    const from = this.#world.tick()
    const answer = await this.#visit('/note', session.cookie, { note })
    const until = this.#world.tick()
    session.operations.push({ client, call: { kind: 'write', note }, saw: outcomeOf(answer), from, until })
    this.#keepCookie(session, answer)
  }

  async #logOut(client: string, session: Session): Promise<void> {
    const from = this.#world.tick()
    const answer = await this.#visit('/logout', session.cookie, {})
    const until = this.#world.tick()
    const saw = outcomeOf(answer)
    if (saw !== 'nobody') session.operations.push({ client, call: { kind: 'end' }, saw, from, until })
  }

  async #endAll(client: string, step: 'everywhere' | 'revoke', session: Session): Promise<void> {
    const from = this.#world.tick()
    const answer =
      step === 'revoke'
        ? await this.#visit('/revoke', undefined, { user: this.#user })
        : await this.#visit('/logout-everywhere', session.cookie, {})
    const until = this.#world.tick()
    const saw = outcomeOf(answer)
    // The session had no user, so nothing ended.
    if (saw === 'nobody' || answer?.body['user'] === null) return
    this.#ends.push({ client, call: { kind: 'end' }, saw, from, until })
  }

  async #lookUntilAnswered(session: Session): Promise<void> {
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      if ((await this.#read('last look', session)) !== 'unknown') return
    }
  }

  /** Returns a note that nobody wrote before. */
  #newNote(): string {
    this.#notes += 1
    return `n${this.#notes}`
  }

  #keepCookie(session: Session, answer: Answer | undefined): void {
    if (answer?.cookie !== undefined) session.cookie = answer.cookie
  }

  async #visit(path: string, cookie?: string, body?: object): Promise<Answer | undefined> {
    let answer: Awaited<ReturnType<typeof visit>>
    do answer = await visit(`${this.#world.origin()}${path}`, cookie, body)
    while (answer === 'unsent')
    const known = answer === 'unknown' ? undefined : answer
    this.#world.onAnswer(outcomeOf(known) === 'unknown')
    return known
  }
}

/**
 * Returns the ends of the sessions whose record a session took over. A logout that was under way meanwhile ends the
 * record, whatever its id is by then.
 */
function endsBefore(session: Session | undefined): Operation[] {
  if (session === undefined) return []
  const ends = session.operations.filter(({ call }) => call.kind === 'end')
  return [...ends.map((end): Operation => ({ ...end, saw: 'unknown' })), ...endsBefore(session.before)]
}

/** Reads the status of an answer. 409 says that a parallel login took the session over, and that nothing was done. */
function outcomeOf(answer: Answer | undefined): 'done' | 'nobody' | 'unknown' {
  if (answer === undefined || answer.status === 503) return 'unknown'
  if (answer.status === 200) return 'done'
  if (answer.status === 401 || answer.status === 409) return 'nobody'
  throw new Error(`an answer with status ${answer.status}: ${JSON.stringify(answer.body)}`)
}
