import type { Call } from '../story.ts'
import { userNow } from './logins.ts'
import type { ExpectedRequest, Staged } from './request.ts'
import type { Known, Session } from './session.ts'
import { usedAt } from './session.ts'
import { Refused } from './refused.ts'

const MINUTE = 60_000

/** Lets the session act as another user. */
export function act(request: ExpectedRequest, { user, minutes }: Extract<Call, { name: 'act' }>): void {
  const { staged, base, now, data } = request
  if (staged !== undefined) throw new Refused('SESSION_OPTION_INVALID')
  if (base?.user === undefined) throw new Refused('SESSION_LOGIN_REQUIRED')
  if (base.actor !== undefined) throw new Refused('SESSION_ACTING')
  const known = userNow(request, user)
  if (base.user.userId === user) throw new Refused('SESSION_USER_INVALID')
  const waiting = { ...data }
  const begin = (session: Session): Session => {
    const actor = session.user as Known
    const longest = known.times?.absolute ?? Infinity
    const absolute = Math.min(session.absolute, now + minutes * MINUTE, now + longest)
    const both = [actor.times, known.times].flatMap((times) => times ?? [])
    const times = both.toSorted((a, b) => a.idle - b.idle)[0]
    return usedAt(
      {
        ...session,
        user: { ...known, userAt: now, times, absolute },
        actor: { ...actor, absolute: session.absolute, data: waiting, since: now },
        absolute,
      },
      now,
    )
  }
  stageRole(request, { kind: 'act', apply: begin }, {})
}

function stageRole(request: ExpectedRequest, staged: Staged, data: Readonly<Record<string, number>>): void {
  request.staged = staged
  request.isDestroyed = false
  request.data = { ...data }
  request.cuts = [() => ({ ...data })]
}

/** Returns to the user who acts. */
export function stopActing(request: ExpectedRequest): void {
  const { base, staged, now, draft } = request
  if (base?.actor === undefined || draft.actor === undefined) return
  if (staged !== undefined) throw new Refused('SESSION_OPTION_INVALID')
  const back = (session: Session): Session => {
    const { actor } = session
    if (actor === undefined) return session
    const { data: _data, since: _since, ...user } = actor
    return usedAt({ ...session, user, actor: undefined, absolute: actor.absolute, isForked: true }, now)
  }
  stageRole(request, { kind: 'return', apply: back }, base.actor.data)
}
