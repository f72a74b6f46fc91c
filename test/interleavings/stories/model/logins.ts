import type { Call, User } from '../story.ts'
import { cut, pick, withoutToken } from './cuts.ts'
import type { ExpectedRequest } from './request.ts'
import type { Known } from './session.ts'
import { proved, withMethods } from './session.ts'
import { Refused } from './refused.ts'
import { write } from './write.ts'

const MINUTE = 60_000

/** The time that a half login waits. */
const HALF = 10 * MINUTE

type Of<Name extends Call['name']> = Extract<Call, { name: Name }>

/** Returns the user of a session for a login, as the process knows them by now. */
export function userNow(request: ExpectedRequest, user: User, given?: string): Omit<Known, 'absolute'> {
  const { world, now } = request
  const password = world.database.credentials(user, given)
  const { called } = world.database.accounts[user]
  const instants = { checkedAt: now, userAt: 0 }
  return { userId: user, called, password, ...instants, isRemembered: false, times: world.timesOf(user), methods: [] }
}

/** Logs a user in. */
export function logIn(
  request: ExpectedRequest,
  { user, remember, keep, methods, label, isByHeader, given }: Of<'log in'>,
): void {
  const { base, now, sender, world } = request
  if (isByHeader && !world.rules.hasHeader) throw new Refused('SESSION_OPTION_INVALID')
  const known = userNow(request, user, given)
  const half = base?.half
  const isSecondStep = half?.userId === user && now < half.until
  if (isSecondStep && half.password !== undefined && half.password !== known.password) {
    throw new Refused('SESSION_LOGIN_REQUIRED')
  }
  const before = request.draft.user?.userId
  abandon(request)
  world.reserve(user, base === undefined ? undefined : request.own)
  const used = withMethods(isSecondStep ? half.methods : [], methods, now)
  const isSame = before === user
  const isOther = before !== undefined && !isSame
  request.staged = {
    kind: 'login',
    apply: (session) => ({
      ...proved(session, { ...known, userAt: session.user?.userAt ?? 0, isRemembered: remember, methods: used }, now),
      label: label ?? (isSame ? session.label : undefined),
      owner: sender.look,
      device: sender.look,
    }),
  }
  const kept = keep ?? !isOther
  if (kept !== true || isOther) cut(request, (data) => pick(data, typeof kept === 'boolean' ? [] : kept))
  else cut(request, before === undefined ? withoutToken : (data) => data)
  // The app needs the new id for its reply.
  if (isByHeader) write(request, 'none')
}

/** Forgets a login that waits. */
function abandon(request: ExpectedRequest): void {
  if (request.staged?.kind === 'login' || request.staged?.kind === 'half') request.staged = undefined
}

/** Notes a user whose second factor is open. */
export function logInHalf(request: ExpectedRequest, { user, methods, wrong }: Of<'log in half'>): void {
  const { now } = request
  if (wrong !== undefined || request.draft.user !== undefined) throw new Refused('SESSION_OPTION_INVALID')
  const { userId, called, password } = userNow(request, user)
  const used = methods.map((name) => ({ name, at: now }))
  const half = { userId, called, password, methods: used, until: now + HALF }
  request.staged = { kind: 'half', apply: (session) => ({ ...session, half }) }
  cut(request, withoutToken)
}

/** Notes a fresh proof of the user. */
export function confirm(request: ExpectedRequest, { methods, label }: Of<'confirm'>): void {
  const { staged, base, now } = request
  const isBegun = staged?.kind === 'login' || staged?.kind === 'confirm'
  if (!isBegun) {
    if (base?.user === undefined) throw new Refused('SESSION_LOGIN_REQUIRED')
    if (base.actor !== undefined) throw new Refused('SESSION_ACTING')
  }
  const earlier = isBegun || staged?.kind === 'fingerprint' ? staged : undefined
  const isForked = base?.isForked === true
  request.staged = {
    kind: isBegun ? staged.kind : 'confirm',
    apply: (session) => {
      const known = earlier?.apply(session) ?? session
      const { user } = known
      if (user === undefined) return known
      const before = isForked && !isBegun ? [] : user.methods
      const next = proved(known, { ...user, methods: withMethods(before, methods, now) }, now)
      return { ...next, label: label ?? known.label }
    },
  }
}

/** Notes the present password. */
export function updateFingerprint(request: ExpectedRequest, { given }: Of<'update the fingerprint'>): void {
  const { staged, draft, now, world, base } = request
  const { user } = draft
  if (user === undefined) throw new Refused('SESSION_LOGIN_REQUIRED')
  const isBegun = staged?.kind === 'login' || staged?.kind === 'confirm'
  if (!isBegun && base?.actor !== undefined) throw new Refused('SESSION_ACTING')
  const password = world.database.credentials(user.userId, given)
  if (password === undefined) throw new Refused('SESSION_AUTH_HASH_UNSET')
  const earlier = isBegun ? staged : undefined
  request.staged = {
    kind: earlier?.kind ?? 'fingerprint',
    apply: (session) => {
      const known = earlier?.apply(session) ?? session
      return known.user === undefined ? known : { ...known, user: { ...known.user, password, checkedAt: now } }
    },
  }
}

/** Replaces the snapshot of the user. */
export function updateUser(request: ExpectedRequest, { user, called }: Of<'update the user'>): void {
  const known = request.draft.user
  if (known === undefined) throw new Refused('SESSION_LOGIN_REQUIRED')
  if (known.userId !== user) throw new Refused('SESSION_USER_INVALID')
  const { staged } = request
  if (staged?.kind !== 'login' && staged?.kind !== 'confirm') {
    request.called = called
    if (request.sender.isLate) write(request, 'none')
    return
  }
  request.staged = {
    kind: staged.kind,
    apply: (session) => {
      const next = staged.apply(session)
      return next.user === undefined ? next : { ...next, user: { ...next.user, called } }
    },
  }
}
