import t from 'tap'
import type { Client } from '../../lib/session/engine.ts'
import { NONE } from '../../lib/session/load-session.ts'
import { ReplyNotes } from '../../lib/session/reply-notes.ts'
import type { RequestState } from '../../lib/session/request-state.ts'
import { initialState } from '../../lib/session/request-state.ts'
import { NOW } from './records.ts'

const SET = { kind: 'set', value: 'id.secret', expiresAt: undefined, renewedAt: undefined, binds: undefined } as const
const CLEAR = { kind: 'clear' } as const
const RULES = { settings: { clock: () => NOW }, replacedIds: { get: () => undefined } }

/** A client whose reply is over when the test says so. */
function clientOf(): { client: Client & { isReplyTaken: boolean }; endReply: () => void } {
  const listeners: (() => void)[] = []
  const client = {
    protocol: 'https',
    ip: '::1',
    userAgent: '',
    isReplyTaken: false,
    afterReply: (listener: () => void) => void listeners.push(listener),
  }
  return { client, endReply: () => listeners.splice(0).forEach((listener) => listener()) }
}

function notesOf(hasCookie = false, isAnswered = false): ReplyNotes {
  return new ReplyNotes(clientOf().client, hasCookie, isAnswered)
}

function stateOf(cookie: RequestState['cookie'], isByHeader: boolean): RequestState {
  return { ...initialState(NONE, isByHeader), cookie }
}

t.test('a response has started once that is noted, or once the app took it over', async (t) => {
  const { client } = clientOf()
  const notes = new ReplyNotes(client, false, false)
  t.equal(notes.isAnswered, false)
  client.isReplyTaken = true
  t.equal(notes.isAnswered, true)
  client.isReplyTaken = false
  t.equal(notes.markAnswered(), false)
  t.equal(notes.isAnswered, true)
  t.equal(notes.markAnswered(), true)
  t.equal(notesOf(false, true).isAnswered, true)
  t.equal(new ReplyNotes({ protocol: 'https', ip: '', userAgent: '' }, false, false).isAnswered, false)
})

t.test('one listener hears the end of the response, and another one may listen afterwards', async (t) => {
  const { client, endReply } = clientOf()
  const notes = new ReplyNotes(client, false, false)
  const heard: string[] = []
  notes.whenOver(() => heard.push('first'))
  notes.whenOver(() => heard.push('second'))
  t.strictSame(heard, [])
  endReply()
  t.strictSame(heard, ['first'])
  notes.whenOver(() => heard.push('third'))
  endReply()
  t.strictSame(heard, ['first', 'third'])
})

t.test('a client without a reply is over soon', async (t) => {
  const notes = new ReplyNotes({ protocol: 'https', ip: '', userAgent: '' }, false, false)
  const heard: string[] = []
  notes.whenOver(() => heard.push('over'))
  notes.whenTaken(() => heard.push('taken'))
  t.strictSame(heard, [])
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(heard, ['over'])
})

t.test('the end of a reply that the app took over is heard, and that of a reply of Fastify is not', async (t) => {
  for (const [isTaken, isAnswered, expected] of [
    [true, false, ['first']],
    [false, false, []],
    [true, true, []],
    [false, true, []],
  ] as const) {
    const { client, endReply } = clientOf()
    const notes = new ReplyNotes(client, false, false)
    const heard: string[] = []
    notes.whenTaken(() => heard.push('first'))
    notes.whenTaken(() => heard.push('second'))
    client.isReplyTaken = isTaken
    if (isAnswered) notes.markAnswered()
    endReply()
    t.strictSame(heard, expected, `taken: ${isTaken}, answered: ${isAnswered}`)
  }
})

t.test('the new id of a header is given to the app once, until the response starts', async (t) => {
  const notes = notesOf()
  t.equal(notes.takeToken(stateOf(SET, false)), null)
  t.equal(notes.takeToken(stateOf(CLEAR, true)), null)
  t.equal(notes.takeToken(stateOf(undefined, true)), null)
  t.equal(notes.takeToken(stateOf(SET, true)), 'id.secret')
  t.equal(notes.takeToken(stateOf(SET, true)), null)
  t.equal(notes.takeToken(stateOf({ ...SET, value: 'a newer one' }, true)), 'a newer one')
  notes.markAnswered()
  t.equal(notes.takeToken(stateOf({ ...SET, value: 'the newest' }, true)), null)
})

t.test('the response of a client with cookies carries the change of the cookie, and what the app did', async (t) => {
  const notes = notesOf(true)
  const plain = { cookie: SET, renewedId: undefined, isRead: false, isLoggedOut: false, isTokenRead: false }
  t.strictSame(notes.responseOf(stateOf(SET, false), RULES), plain)
  notes.markRead()
  t.strictSame(notes.responseOf(stateOf(SET, false), RULES), { ...plain, isRead: true })
  notes.markLoggedOut()
  t.strictSame(notes.responseOf(stateOf(CLEAR, false), RULES), {
    ...plain,
    cookie: CLEAR,
    isRead: true,
    isLoggedOut: true,
  })
  t.match(notes.responseOf(stateOf({ ...SET, renewedAt: NOW - 1_000 }, false), RULES), { cookie: undefined })
})

t.test('the response of a client with a header carries the new id, or an empty one for a dead id', async (t) => {
  const byHeader = (cookie: RequestState['cookie'], hasCookie = false): unknown =>
    notesOf(hasCookie).responseOf(stateOf(cookie, true), RULES)
  const plain = { cookie: undefined, renewedId: undefined, isRead: false, isLoggedOut: false, isTokenRead: false }
  t.strictSame(byHeader(undefined), plain)
  t.strictSame(byHeader(SET), { ...plain, renewedId: 'id.secret' })
  t.strictSame(byHeader(CLEAR), { ...plain, renewedId: '' })
  t.strictSame(
    byHeader(SET, true),
    { ...plain, renewedId: 'id.secret', cookie: CLEAR },
    'the cookie opens nothing more',
  )
})

t.test('an id that the app has put into its reply is not in the header too', async (t) => {
  const notes = notesOf()
  notes.markRead()
  notes.markLoggedOut()
  notes.takeToken(stateOf(SET, true))
  const read = { cookie: undefined, renewedId: undefined, isRead: true, isLoggedOut: true, isTokenRead: true }
  t.strictSame(notes.responseOf(stateOf(SET, true), RULES), read)
  const newer = { ...SET, value: 'a newer one' }
  t.strictSame(notes.responseOf(stateOf(newer, true), RULES), { ...read, renewedId: 'a newer one' })
})
