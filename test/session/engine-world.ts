import type { Test } from 'tap'
import type { Engine } from '../../lib/session/engine.ts'
import { placesOf } from '../../lib/session/places.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { World, WorldOptions } from '../plugin/world.ts'
import { world } from '../plugin/world.ts'
import { Gate } from '../support/gate-store.ts'
import { recordAt } from './records.ts'

/** An app whose engine a test calls past all requests. */
export interface EngineWorld extends World {
  readonly engine: Engine
  /** Between the engine and the store: a test holds back an operation here. */
  readonly gate: Gate
  /** The sessions that the engine removed, and why. */
  readonly ends: { readonly handle: string; readonly why: string | undefined }[]
  /** Stores a session and its places in the index, as a login that is done leaves them. */
  readonly put: (changes?: Partial<SessionRecord>) => Promise<SessionRecord>
  /** Returns the handles under a name of the index. */
  readonly listed: (name: string) => Promise<string[]>
  /**
   * Runs a call that asks the store for one thing after the other. Fails the test if an operation begins before the
   * one ahead of it has its answer, or if one is under way when the call has ended.
   */
  readonly inTurn: <Result>(call: () => Promise<Result>) => Promise<Result>
}

export async function engineWorld(t: Test, options: WorldOptions = {}): Promise<EngineWorld> {
  let gate: Gate | undefined
  const it = await world(t, {
    ...options,
    store: (store) => (gate = new Gate(options.store?.(store) ?? store)).store,
  })
  const engine = await engineOf(it.app)
  const ends: { handle: string; why: string | undefined }[] = []
  const { onChange } = engine.store
  engine.store.onChange = (handle, record, why) => {
    if (record === undefined) ends.push({ handle, why })
    onChange?.(handle, record, why)
  }
  if (gate === undefined) throw new Error('the app asked for no store')
  const conducted = gate
  return {
    ...it,
    engine,
    gate: conducted,
    ends,
    async put(changes) {
      const record = recordAt(it.clock(), changes)
      await it.store.create(record)
      for (const { name, until } of placesOf(record)) await it.store.addToIndex(name, record.handle, until)
      return record
    },
    listed: async (name) => (await it.store.listIndex(name)).map(({ handle }) => handle),
    inTurn: (call) => takeTurns(t, conducted, call),
  }
}

async function takeTurns<Result>(t: Test, gate: Gate, call: () => Promise<Result>): Promise<Result> {
  const underWay: string[] = []
  const met: string[] = []
  const { conductor } = gate
  gate.conductor = async ({ name }, run) => {
    if (underWay.length > 0) met.push(`${name} during ${underWay.join()}`)
    underWay.push(name)
    await new Promise((resolve) => setImmediate(resolve))
    await run()
    underWay.splice(underWay.indexOf(name), 1)
  }
  try {
    return await call()
  } finally {
    t.strictSame(met, [], 'operations take turns')
    t.strictSame(underWay, [], 'all operations have ended')
    gate.conductor = conductor
  }
}
