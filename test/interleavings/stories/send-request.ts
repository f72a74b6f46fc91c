import type { RequestSession } from '../../../lib/session/request-session.ts'
import type { Reply } from '../server.ts'
import { AWAY, HOME } from '../server.ts'
import { differences } from './compare.ts'
import { call as expectCall } from './model/calls.ts'
import { factsOf } from './model/facts.ts'
import { usersOf } from './model/news.ts'
import { ExpectedRequest } from './model/request.ts'
import { write } from './model/write.ts'
import { perform } from './perform.ts'
import type { Scene } from './scene.ts'
import type { Request } from './story.ts'

/** Sends a request. Resolves to how the answer differs from the one that is expected. */
export async function sendRequest(scene: Scene, request: Request): Promise<string | undefined> {
  const { browser, shows, calls, isStranger, isPassive, isStaleFine, isLate, carrier } = request
  const { model, jars, server } = scene
  const cookie = scene.cookieOf(request)
  // A response that has started can fail no more.
  const ending = isLate ? 'answered' : request.ending
  const sender = { look: isStranger ? AWAY : HOME, isPassive, isLate, isStaleFine }
  const expected = new ExpectedRequest(model, sender)
  const id = server.read(cookie)?.id
  expected.load(id)
  const before = factsOf(expected)
  if (isLate) write(expected, carrier)
  const problems: string[] = []
  let signal: AbortSignal | undefined
  const handler = async (session: RequestSession): Promise<void> => {
    for (const [place, one] of calls.entries()) {
      const is = await codeOf(() => perform(session, one, (user) => model.database.accounts[user].called))
      const was = await codeOf(async () => expectCall(expected, one))
      if (is !== was) problems.push(`call ${place + 1} ends with ${is ?? 'success'}, and not ${was ?? 'success'}`)
    }
    if (ending === 'thrown') throw new Error('the handler threw')
    if (model.rules.asks === undefined) signal = session.signal
  }
  const fails = ending === 'failed'
  const look = { isStranger, isPassive, isStaleFine, isLate, carrier }
  const reply = await server.request(handler, { cookie, bound: scene.boundJars[browser], ...look, fails })
  const after = factsOf(expected)
  if (isLate) noteDropped(expected)
  if (ending !== 'thrown' && !isLate) write(expected, carrier)
  if (ending === 'thrown' || fails) expected.undo()
  const status = ending === 'thrown' || fails ? 500 : 200
  if (reply.status !== status) problems.push(`the answer is ${reply.status} ${reply.text}, and not ${status}`)
  problems.push(...differences('before the handler, ', reply.me, before))
  problems.push(...differences('after it, ', reply.meAfter, after))
  problems.push(...takeCookie(scene, reply, expected, id === undefined ? undefined : cookie))
  if (ending !== 'lost' && reply.cookie !== undefined && !isStranger && shows === 'own') {
    jars[browser] = reply.cookie ?? undefined
  }
  // Who waits for the end of a session lets users be asked for at other times too.
  if (signal !== undefined && ending === 'answered') noteSignal(scene, expected, signal)
  return problems[0]
}

/** Compares the cookie with the one that is expected, and notes the id in it. */
function takeCookie(
  scene: Scene,
  { cookie }: Reply,
  { sent, own }: ExpectedRequest,
  shown: string | undefined,
): string[] {
  const { server, model, ids, handles } = scene
  const id = server.read(cookie ?? undefined)?.id
  const isNew = id !== undefined && id.generation === 0
  const is = cookie === undefined ? 'none' : cookie === null ? 'clear' : isNew ? 'new' : 'renewed'
  if (is !== sent) return [`the cookie of the response is: ${is}, and not: ${sent}`]
  if (cookie === undefined || cookie === null || id === undefined) return []
  ids.push(cookie)
  if (!handles.includes(id.handle)) handles.push(id.handle)
  if (is === 'renewed') return id.handle === server.read(shown)?.id.handle ? [] : ['another session is renewed']
  const stored = own === undefined || !model.stored.has(own) ? undefined : own
  if (stored === undefined || stored.ids !== undefined) return ['nobody expects the new id']
  model.adopt(stored, id)
  const { epoch } = stored.session
  return id.epoch === epoch ? [] : [`the epoch of the id is ${id.epoch}, and not ${epoch}`]
}

/** Notes that data was changed which nothing stores. */
function noteDropped({ world, own, base, data, isDestroyed }: ExpectedRequest): void {
  if (own === undefined || base === undefined || isDestroyed) return
  if (JSON.stringify(data) === JSON.stringify(base.data)) return
  world.tell('dropped-write', own, { ...usersOf(base), detail: 'late' })
}

function noteSignal({ signals, model }: Scene, { own, state }: ExpectedRequest, signal: AbortSignal): void {
  if (own === undefined || state !== 'live' || !model.stored.has(own)) return
  const { handle, epoch } = own.session
  signals.push({ signal, own, handle, epoch, undone: own.undone })
}

/** Resolves to the code of the error with which a call ends, if it does. */
export async function codeOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return code ?? message
  }
}
