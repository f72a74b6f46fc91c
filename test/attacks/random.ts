import type { Arbitrary, Scheduler } from 'fast-check'
import { array, assert, asyncProperty, constantFrom, nat, record as shapeOf, scheduler } from 'fast-check'
import type { Test } from 'tap'
import type { SessionRecord, SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'
import type { Browser, Handler, Me, Page, SendOptions } from '../support/browser.ts'
import { whoAmI } from '../support/browser.ts'
import { settle } from '../support/gate-store.ts'

/** One step of somebody: what they do, and as or to which user. */
interface Step {
  readonly act: (typeof ACTS)[number]
  readonly user: number
}

/** A person at a browser, or two tabs of one. */
interface Actor {
  readonly browser: number
  readonly steps: readonly Step[]
}

const ACTS = [
  ...(['login', 'login', 'login', 'failing login', 'logout', 'write', 'write', 'write and save', 'read'] as const),
  ...(['confirm', 'regenerate', 'revoke', 'revoke user', 'wait', 'replay', 'lost read', 'destroy'] as const),
  ...([
    'write by update',
    'write by update',
    'passive write',
    'update user',
    'update all',
    'half login',
    'complete',
    'act',
    'stop acting',
  ] as const),
]

const BROWSERS = 3
const USERS = 2

const actors: Arbitrary<Actor[]> = array(
  shapeOf({
    browser: nat(BROWSERS - 1),
    steps: array(shapeOf({ act: constantFrom(...ACTS), user: nat(USERS - 1) }), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  { minLength: 2, maxLength: 4 },
)

/** One request, as its client and its handler saw it. */
interface Seen {
  readonly label: string
  readonly act: string
  readonly cookie: string | undefined
  readonly startedAt: number
  readonly endedAt: number
  /** The user, and the data of the session, before the handler did anything. */
  readonly me: Me | undefined
  readonly page: Page
  readonly dropped: number
}

const STATUSES: Record<string, readonly number[]> = {
  'failing login': [500, 503],
  'update user': [200, 401, 503],
  // A half login is refused where somebody is logged in.
  'half login': [200, 500, 503],
  complete: [200, 401, 503],
  confirm: [200, 401, 403, 503],
  // A user cannot act as themselves, or as two users.
  act: [200, 401, 403, 500, 503],
}

/** Plays one plan under one schedule, and remembers what must hold from then on. */
class Play {
  readonly bench: Bench
  readonly users: readonly SessionUser[]
  readonly browsers: readonly Browser[]
  readonly seen: Seen[] = []
  /** Cookies that must be nobody from an instant on. */
  readonly dead = new Map<string, number>()
  readonly problems: string[] = []
  #time = 0
  #count = 0

  constructor(bench: Bench) {
    this.bench = bench
    this.users = Array.from({ length: USERS }, (_, number) => someone(`user${number}`))
    this.browsers = Array.from({ length: BROWSERS }, () => bench.browser())
  }

  async run(plan: readonly Actor[], schedule: Scheduler): Promise<void> {
    const { gate } = this.bench
    gate.operations.length = 0
    this.bench.events.length = 0
    await this.#begin()
    gate.conductor = async (operation, run) => {
      const label = `${operation.actor}.${operation.name}`
      await (operation.actor === undefined ? run() : schedule.scheduleSequence([{ builder: run, label }]).task)
    }
    const playing = new Set(plan)
    const all = Promise.all(plan.map((actor) => this.#play(actor).finally(() => playing.delete(actor))))
    all.catch(() => undefined)
    while (playing.size > 0) {
      await settle()
      if (schedule.count() > 0) await schedule.waitOne()
    }
    gate.conductor = undefined
    await all
    await this.#epilogue()
  }

  /** Lets the first two browsers share an anonymous session, as after an attacker planted it. */
  async #begin(): Promise<void> {
    const [first, second] = this.browsers
    await first?.visit((request) => void Object.assign(request.session, { start: 'anonymous' }))
    second?.plant(first?.cookie ?? '')
  }

  async #play({ browser: number, steps }: Actor): Promise<void> {
    const browser = this.browsers[number]
    if (browser === undefined) return
    for (const step of steps) await this.#step(browser, step)
  }

  async #step(browser: Browser, { act, user: number }: Step): Promise<void> {
    const user = this.users[number] ?? someone('nobody')
    const { sessions } = this.bench.app
    switch (act) {
      case 'wait':
        this.bench.clock.advance('16m')
        return
      case 'revoke': {
        const { cookie } = browser
        const startedAt = (this.#time += 1)
        const isEnded = await this.#labelled('revoke', () => sessions.revoke(handleOf(cookie), { userId: user.id }))
        if (isEnded) this.#bury((one) => handleOf(one.cookie) === handleOf(cookie), startedAt)
        return
      }
      case 'revoke user': {
        const startedAt = (this.#time += 1)
        await this.#labelled('revoke-user', () => sessions.revokeUser(user.id))
        this.#bury((one) => one.me?.userId === user.id || one.me?.actorId === user.id, startedAt)
        return
      }
      case 'replay': {
        const [cookie] = this.dead.keys()
        if (cookie === undefined) return
        const thief = this.bench.browser()
        thief.plant(cookie)
        await this.#visit(thief, act, write())
        return
      }
      case 'update all':
        await this.#labelled('update-all', () => sessions.updateUser(user.id, user).catch(() => 0))
        return
      case 'passive write':
        await this.#visit(browser, act, write(), { headers: { 'sec-purpose': 'prefetch' } })
        return
      case 'lost read':
        await this.#visit(browser, act, () => undefined, { isLost: true })
        return
      default:
        await this.#visit(browser, act, handlerOf(act, user))
    }
  }

  async #visit(browser: Browser, act: string, handler: Handler, options: SendOptions = {}): Promise<void> {
    const label = `${act.replaceAll(' ', '-')}${(this.#count += 1)}`
    const { cookie } = browser
    const startedAt = (this.#time += 1)
    const eventsBefore = this.bench.events.length
    let me: Me | undefined
    const noting: Handler = (request, reply) => {
      me = whoAmI(request)
      return handler(request, reply)
    }
    const onSend = act === 'failing login' ? fail : undefined
    const page = await this.bench.gate.as(label, () => browser.visit(noting, { ...options, onSend }))
    const dropped = this.bench.events.slice(eventsBefore).filter(({ type }) => type === 'dropped-write').length
    const seen: Seen = { label, act, cookie, startedAt, endedAt: (this.#time += 1), me, page, dropped }
    this.seen.push(seen)
    this.#judge(seen)
    if (page.status !== 200 || cookie === undefined) return
    if (act === 'logout' && me?.userId !== null) this.#bury((one) => one.cookie === cookie, startedAt)
    const next = page.sessionCookies[0]?.value
    const isRotation =
      ['login', 'confirm', 'regenerate', 'half login', 'complete', 'act'].includes(act) &&
      handleOf(next) === handleOf(cookie)
    if (isRotation) this.#bury((one) => handleOf(one.cookie) === handleOf(cookie) && one.cookie !== next, startedAt)
  }

  #labelled<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    return this.bench.gate.as(`${name}${(this.#count += 1)}`, run)
  }

  /** Marks as dead every cookie that was seen before an end began. */
  #bury(isEnded: (one: Seen) => boolean, startedAt: number): void {
    const now = (this.#time += 1)
    for (const one of this.seen) {
      const { cookie } = one
      if (cookie !== undefined && one.endedAt < startedAt && isEnded(one) && !this.dead.has(cookie)) {
        this.dead.set(cookie, now)
      }
    }
  }

  #judge({ label, act, cookie, startedAt, me, page }: Seen): void {
    const allowed = STATUSES[act] ?? [200, 503]
    const isAllowed = allowed.includes(page.status)
    if (!isAllowed) this.problems.push(`${label} met a ${page.status}: ${JSON.stringify(page.body)}`)
    const deadSince = this.dead.get(cookie ?? '') ?? Infinity
    if (deadSince < startedAt && (me?.userId ?? null) !== null) {
      this.problems.push(`${label} is ${me?.userId} with a cookie that was ended before`)
    }
    for (const [key, owner] of Object.entries(me?.data ?? {})) {
      const isOwn = owner === 'anonymous' || owner === me?.userId
      if (!isOwn) this.problems.push(`${label}, being ${me?.userId}, sees ${key} of ${String(owner)}`)
    }
  }

  /** Checks what must hold whatever happened. */
  async #epilogue(): Promise<void> {
    for (const cookie of this.dead.keys()) {
      const thief = this.bench.browser()
      thief.plant(cookie)
      const { userId } = await thief.me()
      if (userId !== null) this.problems.push(`an ended cookie is ${userId} in the end`)
    }
    const handles = new Set(this.seen.flatMap(({ cookie }) => (cookie === undefined ? [] : [handleOf(cookie)])))
    for (const handle of handles) {
      const forger = this.bench.browser()
      forger.plant(this.bench.forged(handle))
      const { userId, data } = await forger.me()
      if (userId !== null || Object.keys(data).length > 0) this.problems.push('an id that was never handed out works')
    }
    for (const problem of [...this.#resurrections(), ...this.#lostUpdates()]) this.problems.push(problem)
    await this.#everythingCanBeRevoked()
  }

  async #everythingCanBeRevoked(): Promise<void> {
    for (const user of this.users) {
      await this.bench.app.sessions.revokeUser(user.id)
      for (const browser of this.browsers) {
        const { userId, actorId } = await browser.me()
        if (userId === user.id || actorId === user.id) this.problems.push(`a session of ${user.id} is out of reach`)
      }
    }
  }

  *#resurrections(): Generator<string> {
    const ended = new Map<string, number>()
    for (const { name, args, answer, startedAt, endedAt } of this.bench.gate.operations) {
      if (answer !== true) continue
      if (name === 'delete') ended.set(String(args[0]), endedAt)
      const handle = name === 'touch' ? String(args[0]) : (args[0] as SessionRecord).handle
      const isWrite = ['create', 'update', 'touch'].includes(name)
      if (isWrite && startedAt > (ended.get(handle) ?? Infinity)) yield `${name} brought a record back`
    }
  }

  /** Finds completed writes that reached no record, or that a later version of the record lost without a reason. */
  *#lostUpdates(): Generator<string> {
    const chains = new Map<string, { record: SessionRecord; actor: string }[]>()
    for (const { name, args, answer, actor = '' } of this.bench.gate.operations) {
      if (answer !== true || (name !== 'create' && name !== 'update')) continue
      const record = args[0] as SessionRecord
      chains.set(record.handle, [...(chains.get(record.handle) ?? []), { record, actor }])
    }
    const written = [...chains.values()].flat()
    for (const { label, act, page, dropped } of this.seen) {
      if (!act.includes('write') || page.status !== 200 || dropped > 0) continue
      const key = (page.body as { key: string }).key
      const isThere = written.some(({ record, actor }) => actor === label && key in JSON.parse(record.data))
      if (!isThere) yield `${label} was answered with success, and wrote nothing`
    }
    for (const chain of chains.values()) yield* losses(chain)
  }
}

function* losses(chain: readonly { record: SessionRecord; actor: string }[]): Generator<string> {
  for (const [position, { record, actor }] of chain.entries()) {
    const before = chain[position - 1]?.record
    if (before === undefined) continue
    if (record.version !== before.version + 1) yield `version ${before.version} is followed by ${record.version}`
    // A login that is taken back goes back an epoch; a regenerate drops the data, and so does a switch of users.
    const isFree = actor.startsWith('regenerate') || actor.startsWith('failing-login') || record.epoch < before.epoch
    if (isFree || (before.userId !== null && before.userId !== record.userId)) continue
    const kept: object = JSON.parse(record.data)
    const lost = Object.keys(JSON.parse(before.data)).filter((key) => !(key in kept))
    if (lost.length > 0) yield `${actor} lost ${lost.join()}`
  }
}

let keys = 0

/** Returns a handler that writes a new key, whose value says who wrote it. */
function write(isSaved = false): Handler {
  const key = `key${(keys += 1)}`
  return async (request) => {
    Object.assign(request.session, { [key]: request.user?.id ?? 'anonymous' })
    if (isSaved) await request.session.save()
    return { key }
  }
}

/** Returns a handler that does the same by an update, which is in the store before the response. */
function writeByUpdate(): Handler {
  const key = `key${(keys += 1)}`
  return async (request) => {
    const owner = request.user?.id ?? 'anonymous'
    await request.session.update(key, () => owner)
    return { key }
  }
}

function handlerOf(act: Step['act'], user: SessionUser): Handler {
  switch (act) {
    case 'login':
    case 'failing login':
      return (request) => request.login(user)
    case 'logout':
      return (request) => request.logout()
    case 'destroy':
      return (request) => request.session.destroy()
    case 'confirm':
      return (request) => request.confirmLogin()
    case 'regenerate':
      return (request) => request.session.regenerate()
    case 'write':
      return write()
    case 'write and save':
      return write(true)
    case 'write by update':
      return writeByUpdate()
    case 'half login':
      return (request) => request.login(user, { pending: true, methods: ['pwd'] })
    case 'complete':
      return async (request, reply) => {
        if (request.pendingUser === null) return reply.code(401).send({})
        return request.login(request.pendingUser, { methods: ['otp'] })
      }
    case 'act':
      return (request) => request.actAs(user, { reason: 'a ticket' })
    case 'stop acting':
      return (request) => request.stopActing()
    case 'update user':
      return (request) => request.updateUser({ ...(request.user ?? user) })
    default:
      return () => undefined
  }
}

function fail(): never {
  throw new Error('the hook failed')
}

/**
 * Many interleavings of everything, drawn by fast-check, which prints seed, plan and schedule of one that breaks a
 * promise.
 */
export function randomAttack(t: Test, makeStore: MakeStore, runs: number): void {
  t.test('no interleaving of logins, logouts, writes, renewals and revocations breaks a promise', async (t) => {
    const bench = await boot(t, makeStore)
    await assert(
      asyncProperty(actors, scheduler(), async (plan, schedule) => {
        const play = new Play(bench)
        await play.run(plan, schedule)
        if (play.problems.length > 0) throw new Error(play.problems.join('\n'))
      }),
      { numRuns: runs, endOnFailure: false },
    )
  })
}
