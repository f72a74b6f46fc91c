import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from './client.ts'
import type { Peer } from './peers.ts'
import { GATE, OFFICER } from './routes.ts'

/**
 * The outcome of a case. `no promise`: the case asks for something that the library does not promise and the app does
 * not do. `none`: the case has no meaning for the app.
 */
type Mark = 'holds' | 'loses' | 'no promise' | 'none'

/** One cell of the table. */
export interface Outcome {
  readonly mark: Mark
  readonly seen: string
}

/** The parts that a case works with. */
interface Arena {
  readonly peer: Peer
  readonly outage: { isDown: boolean }
  browser(): Client
}

/** One attack or race over HTTP. */
interface Case {
  readonly name: string
  /** The libraries whose guides promise this: all, those with sessions on a server, or none but this package. */
  readonly promisedBy: 'all' | 'server' | 'none'
  /** Tells whether the app has to keep something in the session. */
  readonly needsData?: boolean
  readonly what: string
  run(arena: Arena): Promise<Outcome>
}

const holds = (seen: string): Outcome => ({ mark: 'holds', seen })
const loses = (seen: string): Outcome => ({ mark: 'loses', seen })
const none = (seen: string): Outcome => ({ mark: 'none', seen })

let gates = 0

/** The number of messages after a logout that tell a stream which goes on. */
const MESSAGES = 25

/** The number of visits of a thief and of an owner. */
const VISITS = 12

/** Sends a request that is held open in its handler. */
async function held(client: Client, path: string): Promise<{ isHeld: boolean; finish: () => Promise<unknown> }> {
  const gate = `gate${(gates += 1)}`
  const folder = process.env[GATE] ?? ''
  const sent = client.post(`${path}&gate=${gate}`)
  const arrived = join(folder, `${gate}.arrived`)
  for (let left = 300; left > 0 && !existsSync(arrived); left -= 1) await wait(5)
  const finish = (): Promise<unknown> => {
    writeFileSync(join(folder, `${gate}.go`), '')
    return sent
  }
  return { isHeld: existsSync(arrived), finish }
}

/** Waits for an answer, and lets what it waits for go on if none comes. */
async function orAfter<Value>(work: Promise<Value>, finish: () => Promise<unknown>): Promise<Value> {
  const isIn = await Promise.race([work.then(() => true), wait(1500).then(() => false)])
  if (!isIn) await finish()
  return work
}

/** Returns a browser that has seen a page, and so has what a form of the app needs. */
async function visitor(arena: Arena): Promise<Client> {
  const client = arena.browser()
  await client.get('/me')
  return client
}

async function loggedIn(arena: Arena, user = 'alice'): Promise<Client> {
  const client = await visitor(arena)
  const { status } = await client.post(`/login?user=${user}`)
  if ((await client.user()) !== user) throw new Error(`${arena.peer.name} does not log in: ${status}`)
  return client
}

/** All cases, in the order of the table. */
export const CASES: readonly Case[] = [
  {
    name: 'Fixation',
    promisedBy: 'all',
    what: 'An attacker plants a session cookie that the app gave out. The victim logs in with it.',
    async run(arena) {
      const attacker = await visitor(arena)
      await attacker.post('/write?key=planted')
      const victim = attacker.copy()
      await victim.post('/login?user=alice')
      const user = await attacker.user()
      return user === 'alice' ? loses('the planted cookie is alice') : holds('the planted cookie is nobody')
    },
  },
  {
    name: 'Chosen id',
    promisedBy: 'all',
    needsData: true,
    what: 'A cookie with an id that the client made up. The app may not adopt it.',
    async run(arena) {
      const { cookieName, idOf } = arena.peer
      if (idOf === undefined) return none('the cookie holds the session, not an id')
      const client = arena.browser()
      client.jar.set(cookieName, idOf)
      await client.get('/me')
      const { setCookies } = await client.post('/write?key=a')
      const isAdopted =
        (client.jar.get(cookieName) ?? '') === idOf && setCookies.every((line) => !line.includes(`${cookieName}=`))
      const { answer } = await client.get('/me')
      const isKept = isAdopted && answer.data?.['a'] === 'a'
      return isKept ? loses('the made-up id names a session') : holds('the made-up id names no session')
    },
  },
  {
    name: 'Replay after logout',
    promisedBy: 'server',
    what: 'A copy of the cookie is shown after the logout.',
    async run(arena) {
      const client = await loggedIn(arena)
      const copy = client.copy()
      await client.post('/logout')
      const user = await copy.user()
      return user === 'alice' ? loses('the copy is alice until the cookie expires') : holds('the copy is nobody')
    },
  },
  {
    name: 'Write in flight at logout',
    promisedBy: 'server',
    needsData: true,
    what: 'A request that writes is held in its handler while another one logs out.',
    async run(arena) {
      const client = await loggedIn(arena)
      const [writer, copy] = [client.copy(), client.copy()]
      const { isHeld, finish } = await held(writer, '/slow-write?key=late')
      await orAfter(client.post('/logout'), finish)
      await finish()
      const users = [await copy.user(), await writer.user()]
      const which = users[0] === 'alice' ? 'old' : 'new'
      if (users.includes('alice')) return loses(`the session came back: the ${which} cookie is alice`)
      return holds(isHeld ? 'the session stays gone' : 'the write was not held')
    },
  },
  {
    name: 'Rotation race',
    promisedBy: 'none',
    needsData: true,
    what: 'A request that writes is held in its handler while the same browser logs in. Its answer comes after that of the login.',
    async run(arena) {
      const client = await visitor(arena)
      await client.post('/write?key=cart')
      const before = client.copy()
      const { finish } = await held(client, '/slow-write?key=late')
      await orAfter(client.post('/login?user=alice'), finish)
      await finish()
      if ((await before.user()) === 'alice') return loses('the cookie from before the login is alice')
      const user = await client.user()
      return user === 'alice'
        ? holds('the browser is alice')
        : loses(`the login is lost: the browser is ${user ?? 'nobody'}`)
    },
  },
  {
    name: 'Two keys at once',
    promisedBy: 'none',
    needsData: true,
    what: 'Two requests of one session write different keys at the same time.',
    async run(arena) {
      const client = await loggedIn(arena)
      const first = await held(client, '/slow-write?key=one')
      const second = await held(client, '/slow-write?key=two')
      await first.finish()
      await second.finish()
      const { data = {} } = (await client.get('/me')).answer
      const kept = ['one', 'two'].filter((key) => key in data)
      if (kept.length < 2) return loses(kept.length === 0 ? 'both are lost' : `only the key ${kept.join()} is left`)
      return holds(second.isHeld ? 'both are kept' : 'both are kept: requests of one session wait for each other')
    },
  },
  {
    name: 'Login with a failed response',
    promisedBy: 'none',
    what: 'The handler logs in and then fails. The client gets a 500.',
    async run(arena) {
      const client = await visitor(arena)
      const { status } = await client.post('/login-fails?user=alice')
      const user = await client.user()
      return user === 'alice'
        ? loses(`a ${status}, and the browser is alice`)
        : holds(`a ${status}, and nobody is logged in`)
    },
  },
  {
    name: 'Data of the user before',
    promisedBy: 'none',
    needsData: true,
    what: 'Alice writes, and Bob logs in in the same browser without a logout.',
    async run(arena) {
      const client = await loggedIn(arena)
      await client.post('/write?key=secret')
      await client.post('/login?user=bob')
      const { user, data = {} } = (await client.get('/me')).answer
      return 'secret' in data ? loses(`${user} sees what alice wrote`) : holds(`${user} sees nothing of alice`)
    },
  },
  {
    name: 'Stale privilege',
    promisedBy: 'none',
    what: 'A user loses a role while logged in, by the means that the library has for it.',
    async run(arena) {
      const client = await loggedIn(arena, OFFICER)
      const before = (await client.get('/me')).answer.role
      await (await visitor(arena)).post(`/demote?user=${OFFICER}`)
      const { role } = (await client.get('/me')).answer
      if (before !== 'admin') return none(`the role was ${String(before)} to begin with`)
      return role === 'admin'
        ? loses('the session shows the role until the next login')
        : holds('the next request knows')
    },
  },
  {
    name: 'Revocation beside a login',
    promisedBy: 'none',
    what: 'All sessions of a user are ended, as after a stolen password, while a login of this user is in its handler.',
    async run(arena) {
      const [client, admin] = [await visitor(arena), await visitor(arena)]
      const { answer } = await admin.post('/end-all?user=alice')
      if (answer.data?.['canEndAll'] !== true) return none('the library cannot end all sessions of a user')
      const { finish } = await held(client, '/slow-login?user=alice')
      await orAfter(admin.post('/end-all?user=alice'), finish)
      await finish()
      const user = await client.user()
      return user === 'alice' ? loses('the login outlives the revocation') : holds('the login does not outlive it')
    },
  },
  {
    name: 'Stream after logout',
    promisedBy: 'none',
    what: 'An event stream is open when its user logs out.',
    async run(arena) {
      const client = await loggedIn(arena)
      const stream = await client.open('/stream')
      await client.post('/logout')
      const isOpen = await stream.goesOn(MESSAGES)
      stream.close()
      return isOpen ? loses(`${MESSAGES} messages more, and no end`) : holds('the stream ends')
    },
  },
  {
    name: 'Copied cookie beside its owner',
    promisedBy: 'none',
    what: 'Somebody uses a copy of the cookie while its owner goes on. Ids that a library renews by age are renewed: its clock is moved on.',
    async run(arena) {
      const owner = await loggedIn(arena)
      const thief = owner.copy()
      for (let visit = 0; visit < VISITS; visit += 1) {
        await arena.browser().post('/later?minutes=9')
        await owner.user()
        await thief.user()
      }
      const isThiefIn = (await thief.user()) === 'alice'
      return isThiefIn ? loses('both go on, and nobody notices') : holds('the session ended for both')
    },
  },
  {
    name: 'Cookie tossing',
    promisedBy: 'none',
    what: 'A sibling subdomain adds a cookie of the same name, with a session of the attacker, in front of the victim’s.',
    async run(arena) {
      const victim = await loggedIn(arena)
      const attacker = await loggedIn(arena, 'mallory')
      const { status, answer } = await victim.send('GET', '/me', { cookie: `${attacker.cookies}; ${victim.cookies}` })
      if (answer.user === 'mallory') return loses('the request is the attacker’s session')
      return holds(status === 200 ? `the request is ${answer.user ?? 'nobody'}` : `refused with ${status}`)
    },
  },
  {
    name: 'Cookie out of the box',
    promisedBy: 'none',
    what: 'The attributes of the session cookie, as the configuration of the README sets them behind TLS.',
    async run(arena) {
      const client = await visitor(arena)
      const { setCookies } = await client.post('/login?user=alice')
      const line = setCookies.findLast((one) => one.startsWith(`${arena.peer.cookieName}=`)) ?? ''
      const wanted = {
        '__Host-': /^__Host-/,
        Secure: /; secure/i,
        HttpOnly: /; httponly/i,
        SameSite: /; samesite=(lax|strict)/i,
      }
      const missing = Object.entries(wanted).flatMap(([name, shape]) => (shape.test(line) ? [] : [name]))
      if (line === '') return none('the login set no cookie')
      return missing.length === 0 ? holds('all of them') : loses(`without ${missing.join(', ')}`)
    },
  },
  {
    name: 'Large session',
    promisedBy: 'none',
    needsData: true,
    what: 'A request writes 8 KB into the session. A browser drops a cookie above 4,096 bytes.',
    async run(arena) {
      const client = await loggedIn(arena)
      const { status, setCookies } = await client.post(`/write?key=big&value=${'x'.repeat(8000)}`)
      const isTooLong = setCookies.some((line) => line.length > 4096)
      if (isTooLong) return loses(`a ${status}, with a cookie that browsers drop`)
      const { answer } = await client.get('/me')
      const isKept = answer.data?.['big'] === 'x'.repeat(8000)
      if (isKept) return holds('kept')
      return status >= 400 ? holds(`refused with ${status}`) : loses(`a ${status}, and nothing was kept`)
    },
  },
  {
    name: 'Store is down',
    promisedBy: 'all',
    what: 'The store fails while a logged-in user asks.',
    async run(arena) {
      if (!arena.peer.hasOutage) return none(arena.peer.idOf === undefined ? 'there is no store' : 'not tried here')
      const client = await loggedIn(arena)
      arena.outage.isDown = true
      const { status, answer } = await client.get('/me')
      arena.outage.isDown = false
      if (status < 500) return loses(`a ${status}: the request is ${answer.user ?? 'nobody'}`)
      const isStill = (await client.user()) === 'alice'
      return isStill
        ? holds(`a ${status}, and the session is there afterwards`)
        : loses(`a ${status}, and the user is logged out`)
    },
  },
  {
    name: 'Works without the store',
    promisedBy: 'none',
    what: 'The store fails. A user who is logged in can still be served.',
    async run(arena) {
      const { hasOutage = false, idOf } = arena.peer
      if (!hasOutage) return idOf === undefined ? holds('there is no store') : none('not tried here')
      const client = await loggedIn(arena)
      arena.outage.isDown = true
      const { status, answer } = await client.get('/me')
      arena.outage.isDown = false
      return answer.user === 'alice' ? holds(`a ${status}`) : loses(`a ${status}: every request with a session fails`)
    },
  },
  {
    name: 'Write from another site',
    promisedBy: 'none',
    needsData: true,
    what: 'A page of another site posts a form. The browser says so in Sec-Fetch-Site and Origin.',
    async run(arena) {
      const client = await loggedIn(arena)
      const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', 'x-csrftoken': '' }
      const { status } = await client.post('/write?key=forged', headers)
      const { data = {} } = (await client.get('/me')).answer
      if (!('forged' in data)) return holds(`refused with ${status}`)
      return loses('accepted; SameSite or a CSRF plugin has to stand in front')
    },
  },
]

/** Runs a case, unless it asks for what the library has not. */
export async function runCase(one: Case, arena: Arena): Promise<Outcome> {
  const isWithout = one.needsData === true && arena.peer.hasData === false
  return judged(isWithout ? none('the library keeps no data of the app') : await one.run(arena), one, arena.peer)
}

/** Returns what to print: an attack that works is a loss only where the guide of the library promises otherwise. */
function judged(outcome: Outcome, { promisedBy }: Case, { idOf, isOurs = false }: Peer): Outcome {
  const isPromised = promisedBy === 'all' || (promisedBy === 'server' && idOf !== undefined) || isOurs
  return outcome.mark === 'loses' && !isPromised ? { ...outcome, mark: 'no promise' } : outcome
}
