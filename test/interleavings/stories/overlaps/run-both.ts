import type { RequestSession } from '../../../../lib/session/request-session.ts'
import { testClock } from '../../../support/clock.ts'
import type { Choose } from '../../../support/scheduler.ts'
import { scheduleOf } from '../../../support/scheduler.ts'
import { actors, begin } from '../../chance.ts'
import { aside, interleave } from '../../interleave.ts'
import type { Signed } from '../../binding.ts'
import type { Handler } from '../../server.ts'
import { openSessions, Server } from '../../server.ts'
import type { Contents, Deed } from '../../stepped-store.ts'
import { SteppedStore } from '../../stepped-store.ts'
import type { Account } from '../model/database.ts'
import { performOutside } from '../perform-outside.ts'
import { perform } from '../perform.ts'
import type { Scene } from '../scene.ts'
import { optionsOf, userIn } from '../scene.ts'
import { codeOf } from '../send-request.ts'
import type { OutsideStep, Request, User } from '../story.ts'
import type { Meeting, Overlap } from './overlap.ts'
import { IN_DATABASE } from './overlap.ts'
import type { Left, Names } from './what-is-left.ts'
import { BEGUN, lookAtWhatIsLeft } from './what-is-left.ts'

/** The app after the story, before the two steps. */
export interface Ready {
  readonly overlap: Overlap
  readonly scene: Scene
  readonly contents: Contents
  /** The signed text of each step that is about a device. */
  readonly signed: readonly (Signed | undefined)[]
  /** The ends that were seen, by the contents of the store. Many orders end with the same. */
  readonly seen: Map<string, Promise<Left>>
}

/** The answer to one of the two steps. */
export interface Answer {
  /** Tells whether the answer is an error, or a call was refused. */
  readonly isRefused: boolean
  /** The session as the app saw it before it did anything, in words. */
  readonly before: string
  readonly text: string
}

/** One run of the two steps. */
export interface Run extends Left {
  /** The answers to both steps; none for a step that was left out. */
  readonly answers: readonly (Answer | undefined)[]
  readonly schedule: string
  readonly length: number
  /** The operations that timed out, in words. */
  readonly timeOuts: readonly string[]
}

/** The id that a browser has got, if any. */
type Given = string | undefined

/** The answer of a call that did what it was asked for. */
const DONE = 'done'

/** Takes the two steps, or one of them, in an order that is chosen. */
export async function runBoth(ready: Ready, choose: Choose, taken: readonly number[] = [0, 1]): Promise<Run> {
  const { overlap, scene, contents, signed } = ready
  const { rules, both, isApart } = overlap
  const clock = testClock(scene.clock())
  const stepped = new SteppedStore(actors, clock, contents, rules.isCached)
  begin(stepped)
  const { alice, bob } = scene.model.database.accounts
  const accounts = { alice: { ...alice }, bob: { ...bob } }
  const openSession = await openSessions()
  const open = (store = stepped): Server => {
    const loadUser = (id: string): Promise<unknown> =>
      store.step('loadUser', [], async () => userIn(accounts, id), false)
    return new Server(store.store, { clock, ...optionsOf(rules, loadUser) }, openSession)
  }
  const first = open()
  // A process that has read records knows the cutoff too.
  if (rules.isCached) await aside(async () => first.engine.gate?.current())
  const second = isApart && !rules.isCached ? open() : first
  const answers: (Answer | undefined)[] = []
  const given: Given[] = []
  const bound: Given[] = []
  const works = both.map((step, place) => async () => {
    if (!taken.includes(place)) return
    const stage = { server: place === 0 ? first : second, scene, stepped, accounts }
    if (step.name === 'prove') [answers[place], given[place], bound[place]] = await prove(stage, signed[place])
    else if (step.name === 'request') [answers[place], given[place]] = await send(stage, step)
    else answers[place] = await callFromOutside(stage, step)
  })
  const { choices } = await interleave(stepped, works, choose)
  const again = (): Server => open(new SteppedStore(actors, clock, stepped.contents))
  const end = JSON.stringify([...partsOf(stepped.contents), accounts, given, bound])
  const left = ready.seen.get(end) ?? aside(() => lookAtWhatIsLeft(again, namesIn(ready, given, bound)))
  ready.seen.set(end, left)
  const { deeds } = stepped
  return { ...(await left), answers, schedule: scheduleOf(choices), length: deeds.length, timeOuts: timeOutsIn(deeds) }
}

function timeOutsIn(deeds: readonly Deed[]): string[] {
  const failed = deeds.filter(({ fate }) => fate !== 'done')
  return failed.map(({ actor, name, fate }) => `     ${name} of ${actor} timed out, ${fate}`)
}

function partsOf({ records, index, cutoff }: Contents): unknown[] {
  return [[...records], [...index].map(([user, entries]) => [user, [...entries]]), cutoff]
}

interface Stage {
  readonly server: Server
  readonly scene: Scene
  readonly stepped: SteppedStore
  readonly accounts: Record<User, Account>
}

async function send({ server, scene, accounts }: Stage, request: Request): Promise<[Answer, Given]> {
  const { calls, ...sending } = request
  const codes: string[] = []
  const handler: Handler = async (session: RequestSession) => {
    for (const one of calls) {
      const code = await codeOf(() => perform(session, one, (user) => accounts[user].called))
      codes.push(code ?? DONE)
      // A handler that goes on after that answers as if nothing had been asked for.
      if (code === 'SESSION_STORE_UNAVAILABLE') throw new Error('the store is away')
    }
  }
  const { status, code, me, cookie } = await server.request(handler, {
    ...sending,
    cookie: scene.cookieOf(request),
    bound: scene.boundJars[request.browser],
  })
  // The other step may move the deadline at any time.
  const before = JSON.stringify({ ...me, endsAt: null })
  const text = [status, code, ...codes].filter((part) => part !== undefined).join(' ')
  const isRefused = status >= 400 || codes.some((one) => one !== DONE)
  // Whether an id is renewed depends on who came first. The table of the ids says what becomes of it.
  const isNew = server.read(cookie ?? undefined)?.id.generation === 0
  return [{ isRefused, before, text }, isNew ? (cookie ?? undefined) : undefined]
}

/** Sends a request about a device. Resolves to the answer, the new id and the new bound cookie. */
async function prove({ server, scene }: Stage, signed: Signed | undefined): Promise<[Answer, Given, Given]> {
  if (signed === undefined) return [{ isRefused: true, before: '', text: 'nothing to send' }, undefined, undefined]
  const [own] = scene.jars
  const { status, code, cookie, grant } = await server.prove({ cookie: own, ...signed })
  const answer = { isRefused: status !== 200, before: '', text: [status, code].filter(Boolean).join(' ') }
  return [answer, cookie ?? undefined, grant?.cookieValue]
}

async function callFromOutside({ server, scene, stepped, accounts }: Stage, step: OutsideStep): Promise<Answer> {
  const handleOf = (place: number): string => scene.handleOf(place)
  const run = (): Promise<unknown> =>
    performOutside({ engine: server.engine, accounts, now: scene.clock(), handleOf }, step)
  const code = await codeOf(async () => {
    if (IN_DATABASE.has(step.name)) return stepped.step('loadUser', ['change'], run, false)
    await stepped.step('start', [], async () => undefined, false)
    return run()
  })
  return { isRefused: code !== undefined, before: '', text: code ?? DONE }
}

/** Returns the cookie that a step shows; `undefined` for a call of the app. */
function shownBy(scene: Scene, step: Meeting): Given {
  if (step.name === 'request') return scene.cookieOf(step)
  return step.name === 'prove' ? scene.jars[0] : undefined
}

/** Names sessions and cookies by who got them. */
function namesIn({ overlap, scene }: Ready, given: readonly Given[], bound: readonly Given[]): Names {
  const cookies = new Map<string, string>()
  const sessions = new Map(scene.handles.map((handle, place) => [handle, String(place)]))
  for (const [place, step] of overlap.both.entries()) {
    const name = 'ab'[place] ?? ''
    const shown = shownBy(scene, step)
    if (shown !== undefined) cookies.set(`the id that ${name} showed`, shown)
    const id = given[place]
    if (id === undefined) continue
    cookies.set(`the id that ${name} got`, id)
    const handle = id.slice(0, 22)
    if (!sessions.has(handle)) sessions.set(handle, `${BEGUN}${name}`)
  }
  const boundCookies = new Map<string, string>()
  const [own] = scene.boundJars
  if (own !== undefined) boundCookies.set('of browser 0', own)
  for (const [place, value] of bound.entries()) {
    if (value !== undefined) boundCookies.set(`that ${'ab'[place]} got`, value)
  }
  return { cookies, boundCookies, sessions }
}
