import t from 'tap'
import type { Listener } from '../../lib/stores/listeners.ts'
import { Listeners, SharedSubscription } from '../../lib/stores/listeners.ts'
import type { Announcement } from '../../types/index.ts'
import { door, settle } from '../support/gate-store.ts'

const ENDED: Announcement = { handle: 'a' }

/** Returns a subscription at a server, which notes what happens there. `failing` openings fail at first. */
function shared({ failing = 0, closing = Promise.resolve() }: { failing?: number; closing?: Promise<void> } = {}): {
  readonly subscription: SharedSubscription
  readonly events: string[]
  tell: Listener
} {
  const events: string[] = []
  const server = {
    subscription: new SharedSubscription(async (tell) => {
      events.push('open')
      if (events.length <= failing) throw new Error('the server cannot announce')
      server.tell = tell
      return async () => {
        events.push('close')
        await closing
        events.push('closed')
      }
    }),
    events,
    tell: (() => undefined) as Listener,
  }
  return server
}

/** Returns a listener and all that it has heard. */
function listener(): { readonly heard: Announcement[]; readonly hear: Listener } {
  const heard: Announcement[] = []
  return { heard, hear: (what) => void heard.push(what) }
}

t.test('a listener hears nothing of what was done before it came', async (t) => {
  const listeners = new Listeners()
  const { heard, hear } = listener()
  listeners.tellSoon(ENDED)
  listeners.add(hear)
  await settle()
  t.strictSame(heard, [])
  listeners.tellSoon(ENDED)
  t.strictSame(heard, [], 'the operation is still under way')
  await settle()
  t.strictSame(heard, [ENDED])
})

t.test('all listeners share one subscription at the server, which ends with the last of them', async (t) => {
  const { subscription, events } = shared()
  const [first, second] = [await subscription.subscribe(listener().hear), await subscription.subscribe(listener().hear)]
  t.strictSame(events, ['open'])
  await first()
  await first()
  t.strictSame(events, ['open'], 'the second listener is still there')
  await second()
  t.strictSame(events, ['open', 'close', 'closed'])
  await second()
  t.strictSame(events, ['open', 'close', 'closed'], 'a subscription ends once')
})

t.test('a listener that has left hears nothing, and the others still hear', async (t) => {
  const server = shared()
  const [one, other] = [listener(), listener()]
  const leave = await server.subscription.subscribe(one.hear)
  await server.subscription.subscribe(other.hear)
  server.tell(ENDED)
  await leave()
  server.tell(ENDED)
  t.equal(one.heard.length, 1)
  t.equal(other.heard.length, 2)
})

t.test('a listener after the last one opens the subscription again, which an earlier end leaves open', async (t) => {
  const { subscription, events } = shared()
  const end = await subscription.subscribe(listener().hear)
  await end()
  const endAgain = await subscription.subscribe(listener().hear)
  await end()
  t.strictSame(events, ['open', 'close', 'closed', 'open'])
  await endAgain()
  t.strictSame(events, ['open', 'close', 'closed', 'open', 'close', 'closed'])
})

t.test('the end of the last subscription waits for the server', async (t) => {
  const { opened: closing, open: close } = door()
  const { subscription, events } = shared({ closing })
  const end = await subscription.subscribe(listener().hear)
  const ended = end().then(() => events.push('ended'))
  await settle()
  t.strictSame(events, ['open', 'close'])
  close()
  await ended
  t.strictSame(events, ['open', 'close', 'closed', 'ended'])
})

t.test('a subscription that fails leaves no listener behind, and the next one tries again', async (t) => {
  const server = shared({ failing: 1 })
  const [one, other] = [listener(), listener()]
  await t.rejects(server.subscription.subscribe(one.hear), { message: 'the server cannot announce' })
  t.equal(server.subscription.listeners.size, 0)
  const end = await server.subscription.subscribe(other.hear)
  server.tell(ENDED)
  t.strictSame([one.heard, other.heard], [[], [ENDED]])
  await end()
  t.strictSame(server.events, ['open', 'open', 'close', 'closed'])
})

t.test('a subscription that opens while another one fails is not forgotten', async (t) => {
  let fail: (error: Error) => void = () => undefined
  const failing = new Promise<never>((_resolve, reject) => (fail = reject))
  const events: string[] = []
  const subscription = new SharedSubscription(() => {
    events.push('open')
    return events.length === 1 ? failing : Promise.resolve(async () => void events.push('close'))
  })
  const subscribe = (): Promise<() => Promise<void>> => subscription.subscribe(listener().hear)
  // The first one fails, then a new one opens, and then the one that came late fails, too.
  const first = subscribe()
  fail(new Error('the server cannot announce'))
  const next = Promise.resolve().then(subscribe)
  const late = subscribe()
  await t.rejects(first)
  await t.rejects(late)
  const end = await next
  await end()
  t.strictSame(events, ['open', 'open', 'close'])
})
