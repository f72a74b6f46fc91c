import type { Case } from '../case.ts'
import { holds, loggedIn, loses, none, visitor } from '../case.ts'

/** The cookie, the store and other sites. */
export const DEPLOYMENT_CASES: readonly Case[] = [
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
