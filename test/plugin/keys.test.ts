import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { testClock } from '../support/clock.ts'
import { ordinary, OTHER_SECRET, SECRET, Visitor, world } from './world.ts'

const clock = testClock()
const store = memoryStore({ clock })
const before = { store, secret: OTHER_SECRET, clock }
const rotating = { store, secret: [SECRET, OTHER_SECRET], clock }
const after = { store, secret: SECRET, clock }

t.test('a key moves to the end of the list, then out of it, and nobody is logged out on the way', async (t) => {
  const first = await world(t, { session: before, routes: ordinary })
  const second = await world(t, { session: rotating, routes: ordinary })
  const third = await world(t, { session: after, routes: ordinary })

  const old = first.visitor()
  await old.post('/login')
  const ann = new Visitor(second.app)
  ann.cookies.set('session', old.cookie ?? '')

  const read = await ann.get('/me')
  t.match(read.json(), { user: { id: 'ann' } }, 'an old key verifies')
  t.equal(read.headers['set-cookie'], undefined, 'and is no reason to write a cookie')

  clock.advance('15m')
  await ann.get('/me')
  t.not(ann.cookie, old.cookie, 'the next cookie written ...')
  const late = new Visitor(third.app)
  late.cookies.set('session', ann.cookie ?? '')
  t.match((await late.get('/me')).json(), { user: { id: 'ann' } }, '... is signed with the first key')
})

t.test('an id signed with a key that was dropped is nobody', async (t) => {
  const first = await world(t, { session: before, routes: ordinary })
  const third = await world(t, { session: after, routes: ordinary })
  const old = first.visitor()
  await old.post('/login')
  const ann = new Visitor(third.app)
  ann.cookies.set('session', old.cookie ?? '')
  t.match((await ann.get('/me')).json(), { user: null, isAuthenticated: false })
  t.match(third.events, [{ type: 'forged', reason: 'signature' }])
  t.match((await old.get('/me')).json(), { user: { id: 'ann' } }, 'the session itself lives on')
})
