import type { OpenSession } from '../../lib/session/engine.ts'
import { hashOf } from '../../lib/session/id.ts'
import type { Migration, SecureSessionOptions, SessionEvent } from '../../types/index.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import type { Choose } from '../support/scheduler.ts'
import type { Act, OldSession, Performer } from './act.ts'
import type { Kind } from './kinds.ts'
import { HURRIED, isBoundKind, NEW_NAME } from './kinds.ts'
import type { Handler, Reply } from './server.ts'
import { openSessions, Server } from './server.ts'
import type { Contents, Deed } from './stepped-store.ts'
import { EMPTY, SteppedStore } from './stepped-store.ts'
import type { BoundSession, Signed } from './binding.ts'
import { bindSession, signFor } from './binding.ts'
import { actors, begin, beginScene, unobservedFailures } from './chance.ts'
import type { Chosen } from './interleave.ts'
import { aside, interleave, nameOfActor, placeOfActor } from './interleave.ts'

/** Long enough for a bound cookie to be valid beside an id that is old enough to be renewed. */
const BOUND: SecureSessionOptions = { deviceBound: { lifetime: '20m' } }

/** Short enough for a renewed id to be old enough for another renewal, when the id before it comes back. */
const RENEWED: SecureSessionOptions = { renewalTimeout: '2m' }

const BY_HEADER: SecureSessionOptions = { headerTransport: {} }

/** The age at which a session has half a minute left without a use. */
const BEFORE_DEADLINE = 30 * 60_000 - 30_000

/** The time that the clock of the store is behind where a deadline passes, so that the store still has the records. */
const LAG = 120_000

/** Acts that happen at once, and the kind of sessions that they happen on. */
export interface Scene {
  readonly kind: Kind
  readonly acts: readonly Act[]
}

/** A cookie that some client got. */
export interface Issued {
  readonly value: string
  /** The actor whose response carried it; `undefined` for a cookie from before. */
  readonly by: string | undefined
}

/** One act, as its client or the app saw it. */
export interface Report {
  readonly actor: string
  readonly act: Act
  readonly cookie: string | undefined
  /** The number of steps before the act began. `Infinity` if it did not. */
  startedAt: number
  /** The number of steps before the answer came. `Infinity` if none came. */
  endedAt: number
  reply: Reply | undefined
  /** Tells whether there was nothing to do, by the answer of the app's call. */
  isVain: boolean
  /** The answer of the app's call. */
  result: unknown
}

/** One run of a scene. */
export interface Played {
  readonly scene: Scene
  readonly prepared: Prepared
  readonly reports: readonly Report[]
  readonly deeds: readonly Deed[]
  readonly contents: Contents
  readonly events: readonly SessionEvent[]
  readonly choices: readonly Chosen[]
  readonly isWhole: boolean
  /** Failures that nobody observed. */
  readonly unobserved: readonly unknown[]
  /** The number of times that the user changed the password, and the step at which it happened, or a deletion. */
  readonly passwordAt: number
  readonly passwords: number
  /** The name of the user in the app's database at the end. */
  readonly userName: string
  /** Tells whether the user was deleted there. */
  readonly isGone: boolean
  /** Tells whether the other library still has its session. */
  readonly isOldThere: boolean
}

/** A scene, ready to be played any number of times. */
export interface Prepared {
  readonly scene: Scene
  readonly contents: Contents
  readonly now: number
  /** The cookie of each actor. */
  readonly cookies: readonly (string | undefined)[]
  /** All cookies that clients hold at the beginning. */
  readonly issued: readonly Issued[]
  readonly handles: ReadonlyMap<string, string>
  readonly options: SecureSessionOptions
  readonly openSession: OpenSession
  readonly hasOld: boolean
  /** The way in which the other library keeps its session. */
  readonly oldSession: OldSession | undefined
  /** The binding of the shared session, if it is bound. */
  readonly bound: BoundSession | undefined
  /** The signed text that each actor sends in the protocol of device-bound sessions. */
  readonly signed: readonly (Signed | undefined)[]
  /** Names the app that later clients meet: the same where its settings are. */
  readonly app: string
  /** Answers that one scene needs once. */
  readonly memo: Map<string, unknown>
  /** Tells when the users and their credentials are asked for, if they are. */
  readonly checks: Act['checks']
  /** The time that the clock of the store is behind, in milliseconds. */
  readonly lag: number
}

/** The name that users have since the sessions of a scene began. */
export const RENAMED = 'renamed'

/** The time from the last look at the credentials of a user to a run in which the next look is not yet due. */
export const SINCE_CHECK = 360_000

/** Returns the public half of an id. */
export function handleOf(cookie: string | undefined): string {
  return (cookie ?? '').slice(0, 22)
}

/** Returns the name of a session in a trace. */
export function nameOf(
  { played: { prepared } }: { readonly played: Pick<Played, 'prepared'> },
  handle: string,
): string {
  return prepared.handles.get(handle) ?? `new session ${handle.slice(0, 4)}`
}

/** Prepares the sessions of a scene. */
export async function prepare(scene: Scene): Promise<Prepared> {
  const { kind, acts } = scene
  beginScene()
  const openSession = await openSessions()
  const clock = testClock()
  const stepped = new SteppedStore(actors, clock, EMPTY)
  const checks = acts.find((act) => act.checks !== undefined)?.checks
  const checked = checkedBy(checks, async (id) => ({ id, password: '0' }))
  const binds = isBoundKind(kind) || acts.some(({ device }) => device !== undefined) ? BOUND : {}
  const hasOutdated = acts.some(({ isOutdated }) => isOutdated)
  const hasReplaced = hasOutdated || acts.some(({ isReplaced }) => isReplaced)
  const isAhead = acts.some((act) => act.isAhead)
  const fixed = { ...binds, ...(hasReplaced || isAhead ? RENEWED : {}), ...(kind === 'header' ? BY_HEADER : {}) }
  // The options of other acts come later than the login.
  const ofLogin = acts.find(({ isHurried }) => isHurried)?.options
  const server = new Server(stepped.store, { clock, ...checked, ...fixed, ...ofLogin }, openSession)
  const { actAs, login, regenerate } = await import('../../lib/session/actions.ts')
  const open = async (handler: Handler, cookie?: string): Promise<string> =>
    (await server.request(handler, { cookie })).cookie ?? ''
  const user = acts.some(({ isHurried }) => isHurried) ? HURRIED : { id: 'alice' }
  const dead = await open((session) => {
    Object.assign(session.object ?? {}, { start: 'alice' })
    return login(session, user, {
      ...{ methods: ['pwd'], label: 'desk' },
      ...(kind === 'header' && { transport: 'header' }),
    })
  })
  const first = await open((session) => regenerate(session, ['start']), dead)
  // A limit ends the session that was used longest ago.
  if (acts.some(({ evicts }) => evicts)) clock.advance('2m')
  // A user of one session is another case for a revocation than one of several.
  const hasSecond = kind !== 'shared' || acts.some(({ options: limit }) => limit !== undefined)
  const second = hasSecond ? await open((session) => login(session, { id: 'alice' })) : undefined
  const guest = await open((session) => void Object.assign(session.object ?? {}, { start: 'anonymous' }))
  // A half login is another case for a revocation too.
  const hasHalf = acts.some(({ isHalfDone }) => isHalfDone)
  const half = hasHalf
    ? await open((session) => login(session, { id: 'alice' }, { pending: true, methods: ['pwd'] }))
    : undefined
  const replace = async (cookie: string): Promise<string> => {
    const renewed = await open(() => undefined, cookie)
    await open(() => undefined, renewed)
    clock.advance('61s')
    await open(() => undefined, renewed)
    clock.advance('90s')
    return renewed
  }
  const bound = isBoundKind(kind) ? await bindSession(server, first, kind === 'bound') : undefined
  if (hasOutdated) clock.advance('3m')
  else if (hasReplaced || acts.some(({ isAged }) => isAged)) clock.advance('16m')
  const oldest = kind === 'guest' ? guest : first
  const acting =
    kind === 'acting'
      ? await open((session) => actAs(session, { id: 'bob' }, { reason: 'a ticket' }), first)
      : undefined
  const renewed = acting ?? (hasReplaced ? await replace(oldest) : oldest)
  const setBack = isAhead ? copyOf(stepped.contents) : undefined
  const renewTwice = async (cookie: string): Promise<string> => {
    clock.advance('3m')
    const once = await replace(cookie)
    clock.advance('3m')
    return open(() => undefined, once)
  }
  const newest = setBack ? await renewTwice(renewed) : hasOutdated ? await replace(renewed) : renewed
  if (hasOutdated) clock.advance('11m')
  const base = (act: Act, place: number): string | undefined => {
    if (act.isElsewhere === true) return undefined
    if (act.isReplay === true) return dead
    if (act.isReplaced === true || act.isOutdated === true) return oldest
    if (kind === 'guest') return hasHalf ? half : newest
    if (act.isHalfDone === true) return half
    return kind === 'devices' && place % 2 === 1 ? second : newest
  }
  const isLate = acts.some(({ waits }) => waits !== undefined)
  if (isLate) clock.advance(BEFORE_DEADLINE)
  if (checks === 'later') clock.advance(SINCE_CHECK)
  if (checks === 'due') clock.advance('11m')
  const cookies: (string | undefined)[] = acts.map(base)
  for (const [place, act] of acts.entries()) {
    if (act.shown !== undefined) cookies[place] = await open(() => undefined, cookies[place])
  }
  const shown = acts.flatMap((act, place) => (act.shown === 1 ? [cookies[place]] : []))
  for (const cookie of shown) await open(() => undefined, cookie)
  if (shown.length > 0) clock.advance('61s')
  const issued = [...new Set([dead, first, second, guest, half, renewed, newest, ...cookies])]
  const handles = new Map([
    [handleOf(first), 'alice1'],
    [handleOf(second), 'alice2'],
    [handleOf(guest), 'guest'],
    [handleOf(half), 'half'],
  ])
  const given = issued.flatMap((value) => (value === undefined ? [] : [{ value, by: undefined }]))
  const signed = await Promise.all(acts.map((act, place) => signFor(server, act, cookies[place], bound)))
  const options = Object.assign({}, fixed, ...acts.map((act) => act.options ?? {})) as SecureSessionOptions
  const hasOld = acts.some(({ isMove }) => isMove)
  const contents = setBack ?? stepped.contents
  const now = clock() - Math.max(...acts.map(({ setBackBy = 0 }) => setBackBy))
  const oldSession = acts.find((act) => act.oldSession !== undefined)?.oldSession
  return {
    scene,
    contents,
    now,
    app: hashOf(JSON.stringify([now, options, checks, hasOld, oldSession], withFunctions)),
    cookies,
    issued: given,
    handles,
    options,
    openSession,
    hasOld,
    oldSession,
    bound,
    signed,
    checks,
    lag: isLate ? LAG : 0,
    memo: new Map(),
  }
}

/** Writes functions as their text, for `JSON.stringify`. */
function withFunctions(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? String(value) : value
}

/** Copies what a store holds, because the store goes on. */
function copyOf({ records, index, cutoff }: Contents): Contents {
  return { records: new Map(records), index: new Map(index), cutoff }
}

/** Returns the time that passed in some steps, in milliseconds. */
export function elapsedIn(deeds: readonly Deed[]): number {
  return deeds.reduce((sum, { name, args }) => sum + (name === 'time' ? Number(args[0]) : 0), 0)
}

/** Opens a process on what a run left in the store. */
export function openServer(
  { prepared, passwords, userName, isGone }: Pick<Played, 'prepared' | 'passwords' | 'userName' | 'isGone'>,
  contents: Contents,
  later = 0,
): { server: Server; clock: TestClock } {
  const clock = testClock(prepared.now + later)
  const { store } = new SteppedStore(actors, clock, contents)
  const database = { name: userName, passwords, isGone }
  const checked = checkedBy(prepared.checks, async (id) => userIn(database, id))
  const migrateFrom = prepared.hasOld ? [oldSessions(new Set(['old-session']), prepared)] : []
  const server = new Server(store, { clock, ...prepared.options, ...checked, migrateFrom }, prepared.openSession)
  return { server, clock }
}

/** Returns a user as the app knows them. Only one of them ever changes. */
function userIn({ name, passwords, isGone }: Omit<Database, 'passwordAt'>, id: string): object | undefined {
  if (id !== 'alice') return { id, name, password: '0' }
  return isGone ? undefined : { id, name, password: `${passwords}` }
}

function checkedBy(checks: Act['checks'], loadUser: (id: string) => Promise<unknown>): SecureSessionOptions {
  if (checks === undefined) return {}
  const authHash = (user: { password: string }): string => user.password
  const interval = checks === 'always' ? '0s' : '10m'
  return { loadUser, authHash, authCheckInterval: interval, userMaxAge: interval }
}

/** Returns how often the user had changed the password when a run begins, and the step at which that happened. */
export function credentialsOf({ acts }: Scene): Pick<Played, 'passwords' | 'passwordAt'> {
  return acts.some(({ hasOldPassword }) => hasOldPassword)
    ? { passwords: 1, passwordAt: -1 }
    : { passwords: 0, passwordAt: Infinity }
}

/** Plays a scene once. */
export async function play(prepared: Prepared, choose: Choose): Promise<Played> {
  const { scene } = prepared
  const { acts, kind } = scene
  const clock = testClock(prepared.now)
  const isCached = kind === 'cached'
  const stepped = new SteppedStore(actors, () => clock() - prepared.lag, prepared.contents, isCached)
  begin(stepped)
  const database: Database = { ...credentialsOf(scene), name: RENAMED, isGone: false }
  const userOf = (id: string): object | undefined => userIn(database, id)
  const isAnsweredLate = acts.some((act) => act.isAnsweredLate)
  const loadUser = async (id: string): Promise<unknown> => {
    const user = await stepped.step('loadUser', [], async () => userOf(id), false)
    return isAnsweredLate ? stepped.step('answer', [], async () => user, false) : user
  }
  const checked = checkedBy(prepared.checks, loadUser)
  const old = new Set(['old-session'])
  const migrateFrom = prepared.hasOld ? [oldSessions(old, prepared, stepped)] : []
  const server = new Server(
    stepped.store,
    { clock, ...prepared.options, ...checked, migrateFrom },
    prepared.openSession,
  )
  // A process that has read records knows the cutoff too.
  if (isCached) await aside(async () => server.engine.gate?.current())
  const reports = acts.map((act, place): Report => {
    const cookie = prepared.cookies[place]
    const never = { startedAt: Infinity, endedAt: Infinity, reply: undefined, isVain: false, result: undefined }
    return { actor: nameOfActor(place), act, cookie, ...never }
  })
  const works = reports.map((report) => {
    const performer = performerOf(report, { server, stepped, clock, isCached, database, prepared })
    return () => report.act.perform(performer)
  })
  const { choices, isWhole } = await interleave(stepped, works, choose)
  const { deeds, contents } = stepped
  return {
    scene,
    prepared,
    reports,
    deeds,
    contents,
    events: server.events,
    choices,
    isWhole,
    unobserved: unobservedFailures(),
    passwordAt: database.passwordAt,
    passwords: database.passwords,
    userName: database.name,
    isGone: database.isGone,
    isOldThere: old.has('old-session'),
  }
}

/** The users as the app knows them. */
interface Database {
  passwords: number
  /** The step at which the password changed, or the user was deleted. */
  passwordAt: number
  name: string
  isGone: boolean
}

interface Stage {
  readonly clock: TestClock
  readonly server: Server
  readonly stepped: SteppedStore
  readonly isCached: boolean
  readonly database: Database
  readonly prepared: Prepared
}

function performerOf(report: Report, { server, stepped, clock, isCached, database, prepared }: Stage): Performer {
  const start = async (): Promise<void> => {
    const { waits } = report.act
    if (waits !== undefined) await stepped.step('time', [waits], async () => clock.advance(waits), false)
    await stepped.step(isCached ? 'begin' : 'start', [], async () => undefined, false)
    report.startedAt = stepped.deeds.length
  }
  const end = (reply: Reply): void => {
    report.reply = reply
    report.endedAt = stepped.deeds.length
  }
  const work = async (run: () => Promise<unknown>): Promise<void> => {
    await start()
    const text = ''
    try {
      const result = await run()
      report.isVain = result === false
      report.result = result
      end({ status: 200, code: undefined, cookie: undefined, me: undefined, text })
      await (result as { ended?: Promise<unknown> } | undefined)?.ended?.catch(() => undefined)
    } catch (error) {
      const { statusCode = 500, code, message } = error as Error & { statusCode?: number; code?: string }
      end({ status: statusCode, code, cookie: undefined, me: undefined, text: message })
    }
  }
  const change = (changes: () => void) => async (): Promise<void> => {
    changes()
    database.passwordAt = stepped.deeds.length
  }
  const cookie = report.cookie ?? prepared.cookies[0]
  return {
    server,
    cookie,
    handle: handleOf(cookie),
    work,
    async changePassword() {
      await stepped.step(
        'loadUser',
        ['change'],
        change(() => void (database.passwords += 1)),
        false,
      )
    },
    async deleteUser() {
      await stepped.step(
        'loadUser',
        ['delete'],
        change(() => void (database.isGone = true)),
        false,
      )
    },
    async renameUser() {
      await stepped.step('loadUser', ['rename'], async () => void (database.name = NEW_NAME), false)
    },
    async send(handler, sending = {}) {
      await start()
      const bound = report.act.isBare === true ? undefined : prepared.bound?.grant.cookieValue
      const { isStranger = false } = report.act
      end(await server.request(handler, { cookie: report.cookie, bound, isStranger, ...sending }))
    },
    async prove() {
      await start()
      const signed = prepared.signed[placeOfActor(report.actor)]
      end(await server.prove({ cookie: report.cookie, jws: '', ...signed }))
    },
  }
}

/** Returns the sessions of another library, on a server whose operations are steps too. */
function oldSessions(
  kept: Set<string>,
  { oldSession }: Pick<Prepared, 'oldSession'>,
  stepped?: SteppedStore,
): Migration {
  const isInCookie = oldSession === 'in a cookie'
  const step = <Value>(name: string, run: () => Promise<Value>): Promise<Value> =>
    // A step resolves to what it ran.
    stepped === undefined ? run() : (stepped.step(name, ['old'], run) as Promise<Value>)
  return {
    ...{ from: 'express-session', cookieNames: ['connect.sid'], cookie: {}, endsAt: Infinity },
    ...{ keepOld: oldSession === 'kept', remember: false, weakness: undefined },
    user: () => (oldSession === 'of nobody' ? null : { id: 'alice' }),
    prepare: async () => undefined,
    read: ([key = '']) => ({
      key,
      isInCookie,
      load: () => step('load', async () => (kept.has(key) ? { data: { old: 'anonymous' } } : undefined)),
      remove: () => (isInCookie ? Promise.resolve() : step('remove', async () => void kept.delete(key))),
    }),
  }
}
