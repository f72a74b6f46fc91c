import type { Case } from '../case.ts'
import { held, holds, loggedIn, loses, none, orAfter, visitor } from '../case.ts'
import { OFFICER } from '../routes.ts'

/** The number of messages after a logout that tell a stream which goes on. */
const MESSAGES = 25

/** The number of visits of a thief and of an owner. */
const VISITS = 12

/** Sessions of a user who loses something, or whose cookie somebody else has. */
export const USER_CASES: readonly Case[] = [
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
]
