import type { Case } from '../case.ts'
import { held, holds, loggedIn, loses, none, orAfter, visitor } from '../case.ts'

/** Sessions at and around a login and a logout. */
export const LOGIN_CASES: readonly Case[] = [
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
]
