import { EventEmitter } from 'node:events'
import t from 'tap'
import { Journal } from '../../lib/demo/journal.ts'
import type { SessionEvent, SessionEventMap, Sessions } from '../../types/index.ts'

const emitter = new EventEmitter<SessionEventMap>()
const journal = new Journal({ events: emitter } as Sessions)
const happen = (...events: SessionEvent[]): void => {
  for (const event of events) emitter.emit<'event'>('event', event)
}

t.test("a customer reads about the customer's own sessions and nobody else's, the newest first", async (t) => {
  happen(
    {
      type: 'login',
      at: 1,
      handle: 'own',
      previousHandle: null,
      userId: 'alice',
      remember: false,
      device: null,
      label: null,
      isNewDevice: null,
    },
    { type: 'rotate', at: 2, handle: 'own', reason: 'confirm' },
    { type: 'revoke', at: 3, handle: 'phone', userId: 'alice', reason: 'revoked' },
    { type: 'expire', at: 4, handle: 'pad', userId: 'alice', reason: 'idle' },
    { type: 'logout', at: 5, handle: 'x', userId: 'bob' },
    { type: 'forged', at: 6, reason: 'signature' },
  )
  t.strictSame(journal.latest('own', 'alice', 10), [
    { at: new Date(4), text: 'Ended: nobody used it for too long.', isOther: true },
    { at: new Date(3), text: 'Ended from the list of devices.', isOther: true },
    { at: new Date(2), text: 'New secret after the password was confirmed.', isOther: false },
    { at: new Date(1), text: 'Logged in.', isOther: false },
  ])
  t.equal(journal.latest('own', 'alice', 2).length, 2)
})

t.test(
  'an event without words for a customer is left out, and an event with an unknown reason is told without the reason',
  async (t) => {
    happen(
      { type: 'damaged', at: 7, handle: 'odd' },
      { type: 'dropped-write', at: 8, handle: 'odd', reason: 'gone' },
      { type: 'store-failure', at: 9, operation: 'get' },
    )
    t.strictSame(journal.latest('odd', 'nobody', 10), [
      { at: new Date(8), text: 'A write came too late and was dropped.', isOther: false },
    ])
  },
)

t.test('the journal says how a session ended, and nothing of a session that goes on', async (t) => {
  happen(
    { type: 'expire', at: 10, handle: 'over', userId: 'alice', reason: 'absolute' },
    { type: 'renew', at: 11, handle: 'goes-on' },
  )
  t.strictSame(journal.endOf('over'), {
    at: new Date(10),
    text: 'Ended: it reached its greatest age.',
    isOther: false,
  })
  t.equal(journal.endOf('goes-on'), undefined)
})

t.test('the journal says why the latest secret of a session was issued', async (t) => {
  happen({
    type: 'login',
    at: 12,
    handle: 'new',
    previousHandle: null,
    userId: 'alice',
    remember: false,
    device: null,
    label: null,
    isNewDevice: null,
  })
  t.equal(journal.reasonOfSecret('new'), 'login')
  happen({ type: 'rotate', at: 13, handle: 'new', reason: 'confirm' })
  t.equal(journal.reasonOfSecret('new'), 'password confirmed')
  happen({ type: 'renew', at: 14, handle: 'new' }, { type: 'forged', at: 15, reason: 'signature' })
  t.equal(journal.reasonOfSecret('new'), 'renewal')
  t.equal(journal.reasonOfSecret('never seen'), 'first visit')
})

t.test('the journal keeps the latest 200 events and no more', async (t) => {
  happen(...Array.from({ length: 500 }, (_, at): SessionEvent => ({ type: 'renew', at, handle: 'busy' })))
  t.equal(journal.latest('busy', 'nobody', 1000).length, 200)
})
