import type { Arena, Case, Outcome } from '../case.ts'
import { holds, loggedIn, loses, none, visitor } from '../case.ts'
import { Client } from '../client.ts'
import { AppProcess } from '../processes.ts'

/** More instants than any login has. */
const MANY = 200

/** A login that the end of the process may have cut. */
interface Cut {
  readonly isAnswered: boolean
  /** Tells whether the process has ended. */
  readonly isOver: boolean
}

/** Sends a login whose process ends at an instant of it: on its arrival, or after so many more steps. */
async function cutLogin(place: Arena, browser: Client, at: number): Promise<Cut> {
  const reply = await browser.post(`/login?user=alice&cut=${at}`).catch(() => undefined)
  // The answer may be out before the process ends. A process that goes on answers somebody else.
  const isOver = await place
    .browser()
    .get('/me')
    .then(
      () => false,
      () => true,
    )
  return { isAnswered: reply?.status === 200 && reply.answer.user === 'alice', isOver }
}

/** Returns what is wrong after the restart, if something is. `planted` is a copy of the browser before the login. */
async function faultAfter({ isAnswered }: Cut, browser: Client, planted: Client): Promise<string | undefined> {
  if ((await planted.user()) === 'alice') return 'the cookie from before the login is alice'
  const user = await browser.user()
  if (isAnswered && user !== 'alice') return `the login was answered, and the browser is ${user ?? 'nobody'}`
  if (!isAnswered && user === 'alice') return 'the login was not answered, and the browser is alice'
  const { status } = await browser.post('/login?user=alice')
  for (const visit of ['first', 'second']) {
    const now = await browser.user()
    if (now !== 'alice') return `a login afterwards gets a ${status}, and is ${now ?? 'nobody'} on the ${visit} visit`
  }
  if ((await planted.user()) === 'alice') return 'after a second login, the cookie from before is alice'
  return undefined
}

/** Cuts a login of Alice at each of its instants in turn. */
async function cutEverywhere(app: AppProcess, place: Arena): Promise<Outcome> {
  let instants = 0
  let lost = 0
  for (let isGoingOn = true; isGoingOn && instants < MANY; instants += 1) {
    isGoingOn = false
    for (const begin of [visitor, (arena: Arena) => loggedIn(arena, 'bob')]) {
      const browser = await begin(place)
      await browser.post('/write?key=cart')
      const before = await browser.user()
      const planted = browser.copy()
      const cut = await cutLogin(place, browser, instants)
      isGoingOn ||= cut.isOver
      await app.restart()
      if (!cut.isAnswered && (await planted.user()) !== before) lost += 1
      const fault = await faultAfter(cut, browser, planted)
      if (fault !== undefined) return loses(`cut ${instants + 1}: ${fault}`)
    }
  }
  if (instants === MANY) throw new Error(`a login of ${place.peer.name} does not come to its end`)
  const cuts = instants - 1
  if (cuts === 0) return none('the login cannot be cut')
  const where =
    place.peer.store === 'the cookie' ? `${cuts} cuts, with no store to cut at` : `${cuts} cuts, on ${place.peer.store}`
  return holds(lost === 0 ? where : `${where}; the user from before is logged out after ${lost} of them`)
}

/** Runs a case on an app in a process of its own. */
async function inProcess(
  arena: Arena,
  redis: string | undefined,
  run: (app: AppProcess, place: Arena) => Promise<Outcome>,
): Promise<Outcome> {
  const app = await AppProcess.start(arena.peer, redis)
  try {
    return await run(app, { ...arena, browser: () => new Client(app.url) })
  } finally {
    await app.end()
  }
}

/** Ends the process while Alice logs in, and looks for Bob, who was logged in before. */
async function outliveRestart(app: AppProcess, place: Arena): Promise<Outcome> {
  const bob = await loggedIn(place, 'bob')
  await bob.post('/write?key=kept')
  await cutLogin(place, await visitor(place), 0)
  await app.restart()
  const { user, data = {} } = (await bob.get('/me')).answer
  const { store, hasData = true } = place.peer
  if (user !== 'bob') return loses(`gone, in spite of ${store}`)
  return hasData && data['kept'] !== 'kept'
    ? loses('the user is there, the data is gone')
    : holds(`there, from ${store}`)
}

/** The process of an app ends and starts again. */
export const RESTART_CASES: readonly Case[] = [
  {
    name: 'Restart during a login',
    promisedBy: 'all',
    what: 'The process ends with SIGKILL during a login: on its arrival, before and after each operation of the store, and before the answer. It starts again with the same store and secret. The browser is the new user if it got the answer, and only then. The cookie from before the login never becomes that user’s. A login afterwards works.',
    run: (arena) => inProcess(arena, arena.redis, cutEverywhere),
  },
  {
    name: 'Session outlives a restart',
    promisedBy: 'all',
    what: 'Bob is logged in when the process ends with SIGKILL during the login of somebody else. It starts again with the same store and secret. The store is the one of the library’s guide for production.',
    async run(arena) {
      const outcome = await inProcess(arena, arena.redis, outliveRestart)
      if (outcome.mark !== 'holds' || !arena.peer.isInMemoryByDefault) return outcome
      const { mark } = await inProcess(arena, undefined, outliveRestart)
      return mark === 'holds' ? outcome : holds(`${outcome.seen}; gone with the default store, in memory`)
    },
  },
]
