import type { Holding, ModelId, Rule, Verdict } from './rule.ts'
import { judge } from './rule.ts'
import type { Answer, Asked, Deployment, Held, Servers } from './server.ts'
import { DAY, HOUR, MINUTE, SECOND } from './timeline.ts'

interface ModelRecord {
  readonly userId: string
  readonly epoch: number
  readonly remember: boolean
  readonly absoluteAt: number
  readonly seenAt: number
  readonly companion: string
  readonly isCompanionSeen: boolean
  readonly family: string
  readonly holding: Holding
}

export const RULE: Rule = {
  renewal: 15 * MINUTE,
  confirm: 60 * SECOND,
  late: 150 * SECOND,
  lateAlone: 30 * SECOND,
  sibling: 5 * MINUTE,
  recent: 10 * MINUTE,
  predecessor: 'fork',
  older: 'refuse',
}

const NOBODY: Answer = { userId: null, setCookies: [] }

/** Servers that go by the rule on paper: fast, for trials of a rule before it is built. */
export class ModelServers implements Servers {
  copied = 0
  renewals = 0
  requests = 0
  readonly states = new Map<string, number>()
  readonly #rule: Rule
  readonly #deployment: Deployment
  readonly #records = new Map<string, ModelRecord>()
  readonly #history = new Map<string, { at: number; record: ModelRecord }[]>()
  #count = 0

  constructor(rule: Rule, deployment: Deployment) {
    this.#rule = rule
    this.#deployment = deployment
  }

  ask(asked: Asked): Answer {
    const loaded = this.#load(asked)
    return this.#answer(asked, loaded)
  }

  hold(asked: Asked, kind: 'poll' | 'stream'): Held {
    const loaded = this.#load(asked)
    return {
      early: undefined,
      finish: () =>
        this.#answer(asked, kind === 'stream' && loaded !== undefined ? { ...loaded, isRenewing: false } : loaded),
    }
  }

  setBack(cookie: string, age: number): void {
    const handle = this.#read(cookie)?.handle ?? ''
    const history = this.#history.get(handle) ?? []
    const then = history.findLast(({ at }) => at <= this.#deployment.now() - age)
    if (this.#records.has(handle) && then !== undefined) this.#records.set(handle, then.record)
  }

  async close(): Promise<void> {}

  #now(asked: Asked): number {
    return this.#deployment.now() + (this.#deployment.skews[asked.server] ?? 0)
  }

  #put(handle: string, record: ModelRecord): void {
    const now = this.#deployment.now()
    this.#records.set(handle, record)
    const history = this.#history.get(handle) ?? []
    history.push({ at: now, record })
    if (history.length > 40) history.splice(0, 20)
    this.#history.set(handle, history)
  }

  #read(header: string): { handle: string; id: ModelId; companion: string | undefined } | undefined {
    const pairs = new Map(header.split('; ').map((pair) => pair.split('=') as [string, string]))
    const [handle = '', epoch, generation, issuedAt, nonce = '', parent = ''] = (pairs.get('session') ?? '').split('.')
    if (handle === '') return undefined
    const id = { epoch: Number(epoch), generation: Number(generation), issuedAt: Number(issuedAt), nonce, parent }
    return { handle, id, companion: pairs.get('companion') }
  }

  #load(asked: Asked): { handle: string; id: ModelId; isRenewing: boolean } | undefined {
    this.requests += 1
    const read = this.#read(asked.cookie)
    if (read === undefined) return undefined
    const { handle, id, companion } = read
    const record = this.#records.get(handle)
    const now = this.#now(asked)
    if (record === undefined || record.epoch !== id.epoch) return undefined
    if (now >= record.absoluteAt || (!record.remember && now >= record.seenAt + 30 * MINUTE)) {
      this.#records.delete(handle)
      return undefined
    }
    const isCompanion = companion === record.companion
    const isTied = isCompanion || (!record.isCompanionSeen && familyOf(asked.userAgent) === record.family)
    const verdict = judge(record.holding, id, isTied, now, this.#rule)
    this.states.set(verdict.state, (this.states.get(verdict.state) ?? 0) + 1)
    return this.#obey(handle, { ...record, isCompanionSeen: record.isCompanionSeen || isCompanion }, id, verdict, now)
  }

  #obey(
    handle: string,
    record: ModelRecord,
    id: ModelId,
    verdict: Verdict,
    now: number,
  ): { handle: string; id: ModelId; isRenewing: boolean } | undefined {
    if (!('next' in verdict)) {
      if (verdict.kind === 'refuse') return undefined
      this.#records.delete(handle)
      this.copied += 1
      this.#deployment.onCopied?.(record.userId)
      return undefined
    }
    this.#put(handle, { ...record, seenAt: now, holding: verdict.next })
    return { handle, id, isRenewing: verdict.kind === 'renew' }
  }

  #answer(asked: Asked, loaded: { handle: string; id: ModelId; isRenewing: boolean } | undefined): Answer {
    if (asked.kind === 'login') return this.#logIn(asked, loaded?.handle)
    if (loaded === undefined) return NOBODY
    const record = this.#records.get(loaded.handle)
    if (record === undefined || record.epoch !== loaded.id.epoch) return NOBODY
    if (asked.kind !== 'page') {
      for (const [handle, each] of this.#records) if (each.userId === record.userId) this.#records.delete(handle)
      return { userId: record.userId, setCookies: ['session=; Max-Age=0'] }
    }
    const isBase = record.holding.base.nonce === loaded.id.nonce && record.holding.tip === undefined
    if (!loaded.isRenewing || !isBase) return { userId: record.userId, setCookies: [] }
    this.renewals += 1
    const { epoch, generation, nonce } = loaded.id
    const value = this.#mint(loaded.handle, epoch, generation + 1, this.#now(asked), nonce)
    return { userId: record.userId, setCookies: [this.#line(value, record.remember, record.absoluteAt, asked)] }
  }

  #line(value: string, remember: boolean, absoluteAt: number, asked: Asked): string {
    return remember
      ? `session=${value}; Max-Age=${Math.floor((absoluteAt - this.#now(asked)) / 1000)}`
      : `session=${value}`
  }

  #mint(handle: string, epoch: number, generation: number, now: number, parent: string): string {
    return `${handle}.${epoch}.${generation}.${now}.${(this.#count += 1)}.${parent}`
  }

  #logIn(asked: Asked, former: string | undefined): Answer {
    const read = this.#read(asked.cookie)
    const named = read === undefined ? undefined : this.#records.get(read.handle)
    if (read !== undefined && named?.userId === asked.userId) this.#records.delete(read.handle)
    if (former !== undefined) this.#records.delete(former)
    const now = this.#now(asked)
    const handle = `h${(this.#count += 1)}`
    const value = this.#mint(handle, 1, 0, now, '-')
    const companion = read?.companion ?? `c${this.#count}`
    const absoluteAt = now + (asked.remember ? 14 * DAY : 12 * HOUR)
    const nonce = value.split('.')[4] ?? ''
    const base = { nonce, parent: '-', generation: 0, issuedAt: now, firstAt: now, isAlone: false }
    this.#put(handle, {
      userId: asked.userId,
      epoch: 1,
      remember: asked.remember,
      absoluteAt,
      seenAt: now,
      companion,
      isCompanionSeen: false,
      family: familyOf(asked.userAgent),
      holding: { base, tip: undefined, passed: [], headAt: now },
    })
    const lines = [this.#line(value, asked.remember, absoluteAt, asked), `companion=${companion}; Max-Age=34560000`]
    return { userId: asked.userId, setCookies: lines }
  }
}

/** Returns a User-Agent without its version numbers. */
function familyOf(userAgent: string): string {
  return userAgent.replaceAll(/[\d.]+/g, '')
}
