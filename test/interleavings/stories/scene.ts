import { formatDuration } from '../../../lib/session/duration.ts'
import { memoryStore } from '../../../lib/stores/memory.ts'
import type { SecureSessionOptions, SessionStore } from '../../../types/index.ts'
import { testClock } from '../../support/clock.ts'
import type { TestClock } from '../../support/clock.ts'
import { actors } from '../chance.ts'
import { openSessions, Server } from '../server.ts'
import { EMPTY, SteppedStore } from '../stepped-store.ts'
import type { Account } from './model/database.ts'
import type { Stored } from './model/world.ts'
import { OTHERS_LIMIT, World } from './model/world.ts'
import type { Request, Rules, User } from './story.ts'
import { BROWSERS } from './story.ts'

/** A signal that the handler of a request took. */
export interface TakenSignal {
  readonly signal: AbortSignal
  readonly own: Stored
  readonly handle: string
  readonly epoch: number
  readonly undone: number
}

/** The app of a story and its browsers, and beside it what the guides say about its sessions. */
export class Scene {
  readonly clock: TestClock
  readonly model: World
  /** The id that each browser holds. */
  readonly jars: (string | undefined)[] = Array.from({ length: BROWSERS }, () => undefined)
  /** The bound cookie that each browser holds. */
  readonly boundJars: (string | undefined)[] = Array.from({ length: BROWSERS }, () => undefined)
  /** Every id that a response carried. */
  readonly ids: string[] = []
  /** The number of times that the app was asked for a user. */
  readonly asked: { count: number }
  readonly signals: TakenSignal[] = []
  server: Server
  /** Tells whether the clock was set back. */
  isTurnedBack = false
  readonly #restarted: () => Server

  private constructor(clock: TestClock, model: World, asked: { count: number }, started: () => Server) {
    this.clock = clock
    this.model = model
    this.asked = asked
    this.server = started()
    this.#restarted = started
  }

  /** Starts the app. */
  static async begin(rules: Rules): Promise<Scene> {
    const clock = testClock()
    const store = rules.isCached ? new SteppedStore(actors, clock, EMPTY, true).store : memoryStore({ clock })
    return Scene.on(store, clock, rules)
  }

  /** Starts the app on an empty store. */
  static async on(store: SessionStore, clock: TestClock, rules: Rules): Promise<Scene> {
    const model = new World(rules, clock)
    const asked = { count: 0 }
    const loadUser = async (id: string): Promise<object | null> => {
      asked.count += 1
      return userIn(model.database.accounts, id)
    }
    const options = { clock, ...optionsOf(rules, loadUser) }
    const openSession = await openSessions()
    return new Scene(clock, model, asked, () => new Server(store, options, openSession))
  }

  /** The sessions in the order in which they began. */
  get handles(): string[] {
    return this.model.handles
  }

  /** Starts the process again. The store stays. */
  restart(): void {
    this.server = this.#restarted()
    this.model.restart()
    this.signals.length = 0
  }

  /** Returns the cookie that a request shows. */
  cookieOf({ shows, browser }: Pick<Request, 'shows' | 'browser'>): string | undefined {
    return shows === 'own' ? this.jars[browser] : this.ids[shows % Math.max(1, this.ids.length)]
  }

  /** Returns the handle of a session by its number; of none if nobody has a session yet. */
  handleOf(place: number): string {
    return this.handles[place % Math.max(1, this.handles.length)] ?? 'x'.repeat(22)
  }

  /** Returns the session that a number names, if it is alive. */
  sessionOf(place: number | undefined): Stored | undefined {
    return place === undefined ? undefined : this.model.find(this.handleOf(place))
  }
}

/** Returns a user as the database of the app knows them. */
export function userIn(accounts: Readonly<Record<User, Account>>, id: string): object | null {
  const { isThere, called, password } = accounts[id as User]
  return isThere ? { id, name: called, password: String(password) } : null
}

/** Returns the options of the app of a story. */
export function optionsOf(
  { times, limit, asks, renewal, copied, hasHeader, isBindable }: Rules,
  loadUser: (id: string) => Promise<unknown>,
): SecureSessionOptions {
  return {
    renewalTimeout: renewal,
    onCopiedSession: copied,
    ...(hasHeader && { headerTransport: {} }),
    ...(isBindable && { deviceBound: { lifetime: '20m' } }),
    ...(limit !== undefined && {
      maxSessions: {
        limit: limit.isByUser ? ({ id }) => (id === 'alice' ? limit.count : OTHERS_LIMIT) : limit.count,
        onLimit: limit.onLimit,
      },
    }),
    ...(times !== undefined && {
      idleTimeout: ({ id }) => formatDuration(times[id as User].idle),
      absoluteTimeout: ({ id }) => formatDuration(times[id as User].absolute),
      rememberTimeout: ({ id }) => formatDuration(times[id as User].remembered),
    }),
    ...(asks !== undefined && {
      loadUser,
      authHash: (user: unknown) => (user as { password: string }).password,
      userMaxAge: asks,
      authCheckInterval: asks,
    }),
  }
}
