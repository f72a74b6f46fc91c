import { allSessions } from '../../../lib/session/all-sessions.ts'
import { getSession } from '../../../lib/session/one-session.ts'
import { differences, expected, told } from './compare.ts'
import { lineOf, lineOfEvent } from './model/news.ts'
import type { Scene } from './scene.ts'
import { USERS } from './story.ts'

/** Compares every session with what it is expected to be. Resolves to the first difference. */
export async function look(scene: Scene): Promise<string | undefined> {
  const expired = scene.model.sweep()
  return lookAtNews(scene) ?? (await lookAtEach(scene)) ?? (await lookAtLists(scene)) ?? lookAtSignals(scene, expired)
}

/** Compares what listeners heard since the last look, and how often the app was asked for a user. */
function lookAtNews({ server, model, handles, asked, isTurnedBack }: Scene): string | undefined {
  // What has expired is noticed at some look or other.
  const heard = server.events.splice(0).filter(({ type }) => type !== 'expire')
  const is = heard.map((event) => lineOfEvent(event, handles)).toSorted()
  const was = model.news
    .splice(0)
    .map((news) => lineOf(news, handles))
    .toSorted()
  const surplus = without(is, was)
  const missing = without(was, is)
  if (surplus.length > 0) {
    const instead = missing.length === 0 ? '' : `, but ${missing.join('; ')}`
    return `nobody expects the event: ${surplus.join('; ')}${instead}`
  }
  if (missing.length > 0) return `there is no event: ${missing.join('; ')}`
  const { questions } = model.database
  // Clocks that differ by a few minutes count as the same, so that some questions come later or sooner.
  return isTurnedBack || asked.count === questions
    ? undefined
    : `the app was asked for users ${asked.count} times, and not ${questions}`
}

async function lookAtEach({ server, model, handles }: Scene): Promise<string | undefined> {
  for (const [place, handle] of handles.entries()) {
    const is = await getSession(server.engine, handle)
    const session = model.find(handle)?.session
    const name = `session ${place} `
    if ((is === undefined) !== (session === undefined)) return `${name}${is === undefined ? 'has ended' : 'goes on'}`
    if (is === undefined || session === undefined) continue
    const [problem] = differences(name, told(is), expected(session))
    if (problem !== undefined) return problem
  }
  return undefined
}

async function lookAtLists({ server, model, handles }: Scene): Promise<string | undefined> {
  const { engine } = server
  const numbers = (sessions: readonly { readonly handle: string }[]): string =>
    sessions.map(({ handle }) => handles.indexOf(handle)).join() || 'none'
  for (const user of USERS) {
    const is = numbers(await engine.users.list(user))
    const was = numbers(model.list(user))
    if (is !== was) return `the sessions of ${user} are ${is}, and not ${was}`
  }
  let count = 0
  for await (const { handle } of allSessions(engine)) {
    if (model.find(handle) === undefined) return `session ${handles.indexOf(handle)} is still listed`
    count += 1
  }
  const { size } = model.stored
  return count === size ? undefined : `${count} sessions are listed, and not ${size}`
}

/** Signals abort with their session, and when its id is changed. */
function lookAtSignals({ signals, model }: Scene, expired: ReadonlySet<string>): string | undefined {
  for (const [place, { signal, own, handle, epoch, undone }] of signals.entries()) {
    const isThere = model.stored.has(own)
    const isSame = isThere && own.session.epoch === epoch
    if (isSame && own.undone === undone && signal.aborted) return `the signal of request ${place} has aborted too early`
    // What has expired is noticed at the next look of the process.
    if (!isSame && !expired.has(handle) && !signal.aborted) return `the signal of request ${place} has not aborted`
  }
  return undefined
}

/** Returns the lines of a list that another one lacks. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const rest = [...others]
  return lines.filter((line) => {
    const place = rest.indexOf(line)
    if (place !== -1) rest.splice(place, 1)
    return place === -1
  })
}
