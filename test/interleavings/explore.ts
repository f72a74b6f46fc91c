import type { Searched, SearchLimits } from '../support/scheduler.ts'
import { drawn, drawnSwitches, follow, scheduleOf, search, switching } from '../support/scheduler.ts'
import type { Act } from './act.ts'
import { isAboutActing } from './act.ts'
import { ACTS } from './acts.ts'
import { crashesOf } from './crash.ts'
import { judge } from './guarantees.ts'
import { hasOwnSession } from './reports.ts'
import type { Aftermath } from './view.ts'
import type { Kind } from './kinds.ts'
import type { Played, Prepared, Scene } from './world.ts'
import { isBoundKind, KINDS } from './kinds.ts'
import { nameOfActor } from './interleave.ts'
import { nameOf, play, prepare } from './world.ts'
import type { Deed } from './stepped-store.ts'
import type { SessionRecord } from '../../types/index.ts'

/** A run that broke a guarantee. */
export interface Counterexample {
  readonly problems: readonly string[]
  readonly trace: string
}

/** The result of searching one scene. */
export interface Explored extends Searched {
  /** The number of different states in which a process may have died. */
  readonly crashes: number
  readonly counterexample: Counterexample | undefined
}

/** The looks at the runs of a scene. */
export interface Looks {
  /** The number of runs of which every step is also taken for the one before which the process dies. */
  readonly crashRuns: number
  /** Tells whether nobody comes later, which takes most of the time of a single run. */
  readonly isBrief?: boolean
  /** Tells whether nobody comes later where the process died. Default: `isBrief`. */
  readonly areCrashesBrief?: boolean
}

/** Plays the interleavings of a scene until one breaks a guarantee. */
export async function explore(
  prepared: Prepared,
  limits: SearchLimits,
  { crashRuns: limitOfCrashRuns, isBrief = false, areCrashesBrief = isBrief }: Looks,
): Promise<Explored> {
  let counterexample: Counterexample | undefined
  let crashes = 0
  let crashRuns = limitOfCrashRuns
  const seen = new Set<string>()
  const searched = await search(async (choose) => {
    if (counterexample !== undefined) return { happened: [], isWhole: false }
    const played = await play(prepared, choose)
    if (played.isWhole) counterexample = await examine(played, isBrief)
    const isPlain = played.deeds.every(({ fate }) => fate === 'done')
    if (!played.isWhole || !isPlain || counterexample !== undefined || crashRuns <= 0) {
      return { happened: played.deeds, isWhole: played.isWhole }
    }
    crashRuns -= 1
    const died = await examineCrashes(played, seen, areCrashesBrief)
    crashes += died.count
    counterexample = died.counterexample
    return { happened: played.deeds, isWhole: played.isWhole }
  }, limits)
  return { ...searched, crashes, counterexample }
}

/**
 * Plays all interleavings of a scene in which one act is interrupted once, by all others. Nobody comes later if it
 * `isBrief`.
 */
export async function sweep(prepared: Prepared, isBrief = false): Promise<Counterexample | undefined> {
  for (const first of prepared.scene.acts.map((_act, place) => nameOfActor(place))) {
    for (let place = 1; ; place += 1) {
      const played = await play(prepared, switching(first, [place]))
      const counterexample = await examine(played, isBrief)
      if (counterexample !== undefined) return counterexample
      const own = played.deeds.filter(({ actor }) => actor === first).length
      if (place >= own) break
    }
  }
  return undefined
}

/** Runs of one scene that are drawn by chance. */
export interface Sampling {
  readonly runs: number
  readonly random: () => number
  /** Tells whether the process also dies before each step of the runs with few switches. */
  readonly dies?: boolean
  /** Tells whether nobody comes later, which takes most of the time of a single run. */
  readonly isBrief?: boolean
}

/** Plays some interleavings of a scene, drawn by chance: every second one of those with few switches. */
export async function sample(
  prepared: Prepared,
  { runs, random, dies = false, isBrief = false }: Sampling,
): Promise<Counterexample | undefined> {
  const seen = new Set<string>()
  const actors = prepared.scene.acts.map((_act, place) => nameOfActor(place))
  let length = 10 * actors.length
  for (let left = runs; left > 0; left -= 1) {
    const isSwitching = left % 2 === 1
    const choose = isSwitching ? drawnSwitches(random, length, 0.3, actors) : drawn(random, 0.05)
    const played = await play(prepared, choose)
    const isCrashed = dies && isSwitching && played.deeds.every(({ fate }) => fate === 'done')
    const counterexample =
      (await examine(played, isBrief)) ?? (isCrashed ? (await examineCrashes(played, seen)).counterexample : undefined)
    if (counterexample !== undefined) return counterexample
    length = played.deeds.length
  }
  return undefined
}

/** Looks at what is left wherever the process may die in a run. */
async function examineCrashes(
  played: Played,
  seen: Set<string>,
  isBrief = false,
): Promise<{ readonly count: number; readonly counterexample: Counterexample | undefined }> {
  let count = 0
  for await (const after of crashesOf(played, seen)) {
    count += 1
    const problems = await judge(after, isBrief)
    if (problems.length > 0) return { count, counterexample: { problems, trace: crashTraceOf(after) } }
  }
  return { count, counterexample: undefined }
}

/** Returns how a whole run broke a guarantee, if it did. */
async function examine(played: Played, isBrief = false): Promise<Counterexample | undefined> {
  const { contents, deeds, reports } = played
  const problems = await judge({ played, contents, deeds, reports, isCrash: false }, isBrief)
  return problems.length === 0 ? undefined : { problems, trace: traceOf(played) }
}

/** Plays one run again, as the first line of a counterexample names it. */
export async function replay(line: string): Promise<Counterexample> {
  const [title = '', schedule = ''] = line.split(' @ ')
  const [kind, names = ''] = title.split(': ')
  const acts = names.split(' × ').map((name) => {
    const act = ACTS.find((one) => one.name === name)
    if (act === undefined) throw new Error(`there is no act named ${name}`)
    return act
  })
  const scene: Scene = { kind: kindNamed(kind), acts }
  const played = await play(await prepare(scene), follow(schedule))
  const { problems = [] } = (await examine(played)) ?? {}
  return { problems, trace: traceOf(played) }
}

function kindNamed(name: string | undefined): Kind {
  const kind = KINDS.find((one) => one === name)
  if (kind === undefined) throw new Error(`there is no kind of sessions named ${name}`)
  return kind
}

/** Returns the pairs of acts that can be done at once on sessions of a kind. */
export function pairs(kind: Kind): Scene[] {
  const acts = actsFor(kind)
  return acts
    .flatMap((first, place) => acts.slice(place).map((second) => ({ kind, acts: [first, second] })))
    .filter(fits)
}

/** Returns the triples of acts, without those that are played on some kinds of sessions alone. */
export function triples(kind: Kind): Scene[] {
  const acts = actsFor(kind).filter(({ kinds }) => kinds === undefined)
  return acts
    .flatMap((one, i) => acts.slice(i).flatMap((two, j) => acts.slice(i + j).map((three) => [one, two, three])))
    .map((three) => ({ kind, acts: three }))
    .filter((scene) => fits(scene) && areLeftAlone(scene))
}

/**
 * Tells whether nothing ends the sessions of three acts but the acts. A full limit that refuses ends sessions whose id
 * nobody has shown for a minute, and a half login is over where a deadline passes.
 */
function areLeftAlone({ kind, acts }: Scene): boolean {
  const isLate = acts.some(({ waits }) => waits !== undefined)
  if (isLate && acts.some(({ isHalfDone }) => isHalfDone)) return false
  const hasLimit = acts.some(({ options }) => options !== undefined)
  return !hasLimit || (kind !== 'registered' && !isLate)
}

const IN_CACHE = new Set([
  ...['read', 'write', 'replay a dead id', 'show a renewed id', 'show a replaced id', 'change the password'],
  'show a replaced id as a stranger',
])

/** Acts that are played where somebody acts as another user: those about that, and those that end or change a login. */
const WHERE_SOMEBODY_ACTS = new Set([
  'read',
  'write',
  'write and save',
  'update',
  'reload',
  'rename',
  'update from outside',
  'regenerate',
  'confirm the login',
  'log in',
  'log in as another user',
  'log in, but the response fails',
  'log out',
  'log out everywhere',
  'log out elsewhere',
  'destroy',
  'revoke the session',
  'revoke the user',
  'revoke all',
  'revoke the user but the session',
  'update the user',
  'update the user everywhere',
  'replay a dead id',
  'log in elsewhere, evicting',
  'log in elsewhere, unless refused',
  'change the password',
  'delete the user',
  'read with an old password',
  'write with an old password',
  'change the password before the next check',
])

/** Acts that are played where the client brings its id in a header: those that read, renew or change the id. */
const BY_HEADER = new Set([
  ...['read', 'write', 'renew', 'show a renewed id', 'confirm a renewed id', 'replay a dead id', 'show a replaced id'],
  ...['show a replaced id as a stranger', 'log in', 'log in as another user', 'log in, but the response fails'],
  ...[
    'log out',
    'log out everywhere',
    'confirm the login',
    'regenerate',
    'revoke the session',
    'log in with a dead id',
  ],
])

/** A check on each request matters to a cache, and one that is not yet due to whatever puts it off. */
function kindsOfChecks({ checks }: Act): readonly Kind[] {
  if (checks === undefined) return KINDS
  return [checks === 'always' ? 'cached' : 'shared', 'acting']
}

function actsFor(kind: Kind): readonly Act[] {
  const isPlayed = (act: Act): boolean => act.kinds?.includes(kind) !== false && kindsOfChecks(act).includes(kind)
  return ACTS.filter((act) => isPlayed(act) && fitsBinding(kind, act))
}

/**
 * Tells whether an act fits. A bound session is a whole login, whose ids are renewed by refreshes alone. A guest has
 * nothing to bind.
 */
function fitsBinding(kind: Kind, act: Act): boolean {
  const { device, isBare, isAged, isReplaced, isOutdated, isHalfDone, isMove, isForGuests } = act
  if (kind === 'header' && !BY_HEADER.has(act.name)) return false
  if (act.setBackBy !== undefined) return true
  if (kind === 'acting') return isAboutActing(act) || WHERE_SOMEBODY_ACTS.has(act.name)
  if (kind === 'devices' && act.kinds?.includes(kind) === true) return true
  if (isAboutActing(act)) return kind === 'shared' && (act.kinds !== undefined || act.name.startsWith('act as'))
  if (isBoundKind(kind) && (isReplaced ?? isOutdated) === true) return false
  if (kind === 'guest' && isOutdated === true) return false
  if (kind !== 'guest' && isForGuests === true) return false
  if (kind === 'registered' && (isBare === true || device === 'old proof')) return false
  if (isBoundKind(kind)) {
    return device !== 'bind' && isHalfDone !== true && isMove !== true && (isAged !== true || device !== undefined)
  }
  return isBare !== true && (device === undefined || (device === 'bind' && kind !== 'guest'))
}

/** Tells whether an act can be played where a deadline passes. Scenes with renewed ids have other deadlines. */
function isForDeadline({ isAged, isReplaced, isOutdated, evicts, device, isBare }: Act): boolean {
  return (
    (isAged ?? isReplaced ?? isOutdated ?? evicts ?? isBare) === undefined &&
    (device === undefined || device === 'bind')
  )
}

/**
 * Tells whether the acts of a scene fit together. One app has one limit on sessions, and a cache matters to acts that
 * read.
 */
function fits({ kind, acts }: Scene): boolean {
  const limits = new Set(acts.flatMap(({ options }) => (options === undefined ? [] : [options])))
  if (limits.size > 1) return false
  if (acts.some(({ isApart }) => isApart) && !acts.every(({ isApart, name }) => isApart ?? IN_CACHE.has(name))) {
    return false
  }
  // Acts with sessions of their own have nothing in common.
  if (acts.filter(hasOwnSession).length > 1) return false
  const isForOddClock = ({ setBackBy, name }: Act): boolean =>
    setBackBy !== undefined || ['read', 'write', 'revoke all'].includes(name)
  if (acts.some(({ setBackBy }) => setBackBy !== undefined) && !acts.every(isForOddClock)) return false
  const sequences = acts.filter(({ isSequence }) => isSequence).length
  const isPlainUse = ({ isSequence, name }: Act): boolean => isSequence ?? ['read', 'write'].includes(name)
  if (sequences > 1 || (sequences === 1 && !acts.every(isPlainUse))) return false
  // Once a second renewal is confirmed, the id that the first one replaced ends the session.
  const isOld = acts.some(({ isReplaced, isStranger }) => isReplaced === true && isStranger !== true)
  if (isOld && acts.some(({ shown }) => shown === 1)) return false
  // An id that was replaced by the newest one is not an outdated one.
  if (acts.some(({ isOutdated }) => isOutdated) && acts.some((act) => act.isReplaced ?? act.isAged)) return false
  const isLate = acts.some(({ waits }) => waits !== undefined)
  if (isLate && !acts.every(isForDeadline)) return false
  // Another user may have the session by then.
  const hasOther = ({ name, logsIn }: Act): boolean => logsIn === 'bob' || name.includes('another user')
  if (acts.some(({ isForOther }) => isForOther) && (isLate || acts.some((act) => !act.isForOther && hasOther(act)))) {
    return false
  }
  const isAtOnce = ({ isAged, isReplaced, isOutdated, isAhead, waits, checks, evicts }: Act): boolean =>
    (isAged ?? isReplaced ?? isOutdated ?? isAhead ?? waits ?? checks ?? evicts) === undefined
  if (acts.some(({ isInstant }) => isInstant) && !acts.every(isAtOnce)) return false
  // After a failover the ids from before it are those of nobody.
  const isPlainId = ({ isAged, isReplaced, isOutdated, isHalfDone, isReplay, waits, options, checks }: Act): boolean =>
    (isAged ?? isReplaced ?? isOutdated ?? isHalfDone ?? isReplay ?? waits ?? options ?? checks) === undefined
  if (acts.some(({ isAhead }) => isAhead) && !acts.every(isPlainId)) return false
  // One app has one way in.
  const moves = new Set(acts.filter(({ isMove }) => isMove).map(({ oldSession }) => oldSession))
  if (moves.size > 1) return false
  // An id that is old enough for a renewal is old enough for a check.
  const checks = new Set(acts.flatMap((act) => act.checks ?? []))
  if (checks.size > 1) return false
  // Whatever comes after a changed password ends the session.
  if (acts.some(({ hasOldPassword }) => hasOldPassword) && !acts.every((act) => act.hasOldPassword)) return false
  const isChecked = checks.has('later') || checks.has('due')
  const isPast = ({ isAged, isReplaced, isOutdated, waits }: Act): boolean =>
    (isAged ?? isReplaced ?? isOutdated ?? waits) !== undefined
  if (isChecked && acts.some(isPast)) return false
  // A full limit that refuses ends sessions whose id nobody has shown for a minute.
  if (isChecked && acts.some(({ options }) => options !== undefined)) return false
  // The half login of a guest is another session than the one whose id was replaced.
  if (kind === 'guest' && acts.some(({ isReplaced }) => isReplaced) && acts.some(({ isHalfDone }) => isHalfDone)) {
    return false
  }
  const isPlain = acts.every(({ device, isBare }) => device === undefined && isBare !== true)
  if (kind === 'bound' && isPlain) return false
  if (kind === 'registered' && isPlain && acts.every(({ name }) => name !== 'read')) return false
  return kind !== 'cached' || acts.every(({ name }, place) => place > 0 || IN_CACHE.has(name))
}

/** Returns a scene in one line. */
export function titleOf({ kind, acts }: Scene): string {
  return `${kind}: ${acts.map(({ name }) => name).join(' × ')}`
}

function traceOf(played: Played): string {
  const { scene, reports, deeds, choices } = played
  const lines = deeds.map(
    (deed, place) => `  ${String(place + 1).padStart(3)} ${deed.actor}  ${describe(played, deed)}`,
  )
  const answers = reports.map(({ actor, act, reply, endedAt }) => {
    const answer = reply === undefined ? 'no answer' : `${reply.status} ${reply.code ?? ''}`
    const given = reply?.cookie === undefined ? '' : reply.cookie === null ? ', cookie cleared' : ', a new cookie'
    return `  ${actor} = ${act.name}: ${answer}${given}, after step ${endedAt}`
  })
  return [`${titleOf(scene)} @ ${scheduleOf(choices)}`, ...lines, ...answers].join('\n')
}

function crashTraceOf({ played, deeds }: Aftermath): string {
  const isDone = new Set(deeds)
  const lines = traceOf(played).split('\n')
  return lines.map((line, place) => (place > 0 && isLost(played, isDone, place - 1) ? `${line}   ✗` : line)).join('\n')
}

/** Tells whether the process died before a step. */
function isLost({ deeds }: Played, isDone: ReadonlySet<Deed>, place: number): boolean {
  const deed = deeds[place]
  return deed !== undefined && !isDone.has(deed)
}

function describe(played: Played, { name, args, answer, fate, before }: Deed): string {
  const [first] = args
  const isRecord = typeof first === 'object' && first !== null && 'handle' in first
  const record = isRecord ? (first as SessionRecord) : undefined
  const what = record === undefined ? args.map((one) => brief(played, one)).join(' ') : changeOf(played, before, record)
  const told = typeof answer === 'boolean' ? ` → ${answer}` : name === 'get' ? ` → ${stateOf(answer)}` : ''
  const end = fate === 'done' ? '' : fate === 'written' ? ' (written, but it timed out)' : ' (timed out, not written)'
  return `${name} ${what}${fate === 'done' ? told : ''}${end}`
}

function brief(played: Played, value: unknown): string {
  return typeof value === 'string' && /^[\w-]{22}$/.test(value)
    ? nameOf({ played }, value)
    : typeof value === 'object'
      ? ''
      : JSON.stringify(value)
}

function changeOf(played: Played, before: SessionRecord | undefined, record: SessionRecord): string {
  return `${nameOf({ played }, record.handle)}: ${before === undefined ? '' : `${stateOf(before)} ⇒ `}${stateOf(record)}`
}

function stateOf(answer: unknown): string {
  if (answer === undefined) return 'absent'
  const { version, epoch, userId, data, heldBack } = answer as SessionRecord
  return `v${version} epoch ${epoch} ${userId ?? 'nobody'}${heldBack === null ? '' : ' (locked)'} ${data}`
}
