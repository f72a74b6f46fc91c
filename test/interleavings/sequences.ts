import { regenerate } from '../../lib/session/actions.ts'
import type { Act } from './act.ts'
import { logIn, request, SUPERSEDED } from './make-act.ts'
import type { Handler } from './server.ts'
import type { Kind } from './kinds.ts'

/** One call of a request. */
interface Call {
  readonly name: string
  readonly handler: Handler
  readonly logsIn?: string
  /** The keys of the data that stay. Absent: all that may. */
  readonly keeps?: readonly string[]
  readonly isEnd?: boolean
}

const CALLS: readonly Call[] = [
  { name: 'log in', handler: logIn('alice'), logsIn: 'alice' },
  { name: 'log in as another user', handler: logIn('bob'), logsIn: 'bob' },
  { name: 'log in, keeping nothing', handler: logIn('alice', { keep: false }), logsIn: 'alice', keeps: [] },
  { name: 'log in, keeping a key', handler: logIn('alice', { keep: ['start'] }), logsIn: 'alice', keeps: ['start'] },
  { name: 'regenerate', handler: (session) => regenerate(session), keeps: [] },
  { name: 'regenerate, keeping a key', handler: (session) => regenerate(session, ['start']), keeps: ['start'] },
  { name: 'log out', handler: (session) => session.logout(), isEnd: true },
]

const PLAIN: readonly Kind[] = ['shared', 'guest']

/** Every two calls that change the session, in one request. */
export const SEQUENCES: readonly Act[] = CALLS.flatMap((first) =>
  CALLS.filter((second) => first.isEnd !== true || second.logsIn !== undefined).map((second) =>
    request(`${first.name}; then ${second.name}`, inOrder(first, second), {
      ...{ kinds: PLAIN, isSequence: true, codes: SUPERSEDED },
      ...effectOf(first, second),
    }),
  ),
)

function inOrder(first: Call, second: Call): Handler {
  return async (session) => {
    await first.handler(session)
    await second.handler(session)
  }
}

/** Returns what is left after two calls. */
function effectOf(first: Call, second: Call): Partial<Act> {
  if (second.isEnd === true) return { ends: 'own', abandons: true }
  const logsIn = second.logsIn ?? first.logsIn
  const isReplaced = first.logsIn !== undefined && second.logsIn !== undefined
  const keeps = second.keeps ?? first.keeps
  return {
    ...(logsIn !== undefined && { logsIn }),
    ...(first.isEnd === true ? { ends: 'own' } : { changesId: true }),
    ...(isReplaced && { abandons: true }),
    // What the first call drops does not come back.
    ...(keeps !== undefined && { keeps: first.keeps?.length === 0 ? [] : keeps }),
  }
}
