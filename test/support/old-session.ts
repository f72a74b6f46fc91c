import type { Migration, OldData, OldSession } from '../../types/index.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import { memoryStore } from '../../lib/index.ts'
import type { Engine } from '../../lib/session/engine.ts'
import type { Visit } from '../../lib/session/old-session.ts'
import type { Test } from 'tap'
import type { Bench, BenchOptions, MakeStore } from './app.ts'
import { boot } from './app.ts'

/** An old session in the hands of a test, with what was asked of it. */
export class OldEntry implements OldSession {
  readonly key: string
  readonly isInCookie: boolean
  content: OldData | 'damaged' | undefined
  /** The calls of `load` and `remove`, in their order. */
  readonly asked: string[] = []
  /** Thrown by the next calls, as by a store that does not answer. */
  failure: Error | undefined

  constructor(key: string, content: OldEntry['content'], isInCookie = false) {
    this.key = key
    this.content = content
    this.isInCookie = isInCookie
  }

  async load(): Promise<OldData | 'damaged' | undefined> {
    return this.#ask('load')
  }

  async remove(): Promise<void> {
    this.#ask('remove')
    if (!this.isInCookie) this.content = undefined
  }

  #ask(name: string): OldEntry['content'] {
    this.asked.push(name)
    if (this.failure !== undefined) throw this.failure
    return this.content
  }
}

/** Returns a way in for the sessions of a library that only tests know. */
export function wayIn(changes: Partial<Migration> = {}): Migration {
  return {
    from: 'old-library',
    cookieNames: ['old', 'old.sig'],
    cookie: {},
    user: ({ userId }: { userId?: string }) => (userId === undefined ? null : { id: userId }),
    endsAt: Infinity,
    keepOld: false,
    remember: false,
    weakness: undefined,
    prepare: async () => undefined,
    read: () => undefined,
    ...changes,
  }
}

/** An app with one way in, of which a test calls the parts. */
export interface MoveBench {
  readonly bench: Bench
  readonly engine: Engine
  readonly migration: Migration
  /** Returns a request that shows an old session. */
  readonly visitOf: (old: OldSession, changes?: Partial<Visit>) => Visit
}

const memory: MakeStore = (_t, clock) => memoryStore({ clock })

/** Boots an app with ways in; `migration` is the first one. */
export async function bootMoves(
  t: Test,
  ways: readonly [Migration, ...Migration[]] = [wayIn()],
  { session, ...rest }: BenchOptions = {},
  makeStore: MakeStore = memory,
): Promise<MoveBench> {
  const [migration] = ways
  const bench = await boot(t, makeStore, { ...rest, session: { migrateFrom: [...ways], ...session } })
  const engine = await engineOf(bench.app)
  const client = { protocol: 'https', ip: '203.0.113.7', userAgent: 'Firefox/140.0' }
  const visitOf: MoveBench['visitOf'] = (old, changes) => ({
    engine,
    migration,
    old,
    client,
    isCarrier: true,
    ...changes,
  })
  return { bench, engine, migration, visitOf }
}
