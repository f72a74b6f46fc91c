import type { Method } from '../story.ts'
import type { ExpectedRequest } from './request.ts'
import type { Data } from './session.ts'
import { isTouchDue, usedAt } from './session.ts'

const RECENT = 300_000
const ASKED: readonly Method[] = ['pwd', 'otp']

/** The facts that an app sees of the session of a request. */
export interface Facts {
  readonly userId: string | null
  readonly actorId: string | null
  readonly name: string | null
  readonly pendingId: string | null
  readonly isFresh: boolean
  readonly isRecent: boolean
  readonly missing: readonly Method[]
  readonly endsAt: { readonly idle: number; readonly absolute: number } | null
  readonly data: Data
}

/** Returns what the app sees. */
export function factsOf(request: ExpectedRequest): Facts {
  const { draft, base, now } = request
  const { user, actor, half, authenticatedAt, isForked } = draft
  // Nobody who acts as another user, or beside a copy, has proved who they are.
  const since = isForked || actor !== undefined ? undefined : authenticatedAt
  const isHalf = half !== undefined && (base === undefined || now < half.until)
  const isUsed = (name: Method): boolean =>
    since !== undefined && user?.methods.some((one) => one.name === name && one.at > now - RECENT) === true
  return {
    userId: user?.userId ?? null,
    actorId: actor?.userId ?? null,
    name: user?.called ?? null,
    pendingId: isHalf ? half.userId : null,
    isFresh: since !== undefined,
    isRecent: since !== undefined && now - since < RECENT,
    missing: ASKED.filter((name) => !isUsed(name)),
    endsAt: endOf(request),
    data: request.isDestroyed ? {} : { ...request.data },
  }
}

function endOf({ staged, base, draft, isTouched, now, sender }: ExpectedRequest): Facts['endsAt'] {
  const isBegun = staged !== undefined && ['login', 'confirm', 'act', 'return'].includes(staged.kind)
  if (!isBegun && base === undefined) return null
  const known = base ?? draft
  const isUsed = (isTouched || isTouchDue(known, now)) && !sender.isPassive
  const { idle, absolute } = isBegun ? draft : isUsed ? usedAt(known, now) : known
  return { idle, absolute }
}
