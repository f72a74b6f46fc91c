import type { Times, User } from '../story.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The difference of two clocks that counts as none. */
export const SKEW = 150 * SECOND

/** The times of the options. */
export const USUAL: Times = { idle: 30 * MINUTE, absolute: 12 * HOUR, remembered: 336 * HOUR }

/** A way to log in, and the instant at which it was used. */
export interface Used {
  readonly name: string
  readonly at: number
}

/** A user as a session knows them. */
export interface Known {
  readonly userId: User
  /** The name in the snapshot. */
  readonly called: string
  /** The password of the login, if passwords are asked for. */
  readonly password: string | undefined
  readonly checkedAt: number
  readonly userAt: number
  readonly absolute: number
  readonly isRemembered: boolean
  /** The times that a function of the user gave; those of the options if absent. */
  readonly times: Times | undefined
  readonly methods: readonly Used[]
}

/** Session data. */
export type Data = Readonly<Record<string, number>>

/** The user who acts as another one, whose data waits. */
export interface Actor extends Known {
  readonly data: Data
  readonly since: number
}

/** A session as the guides describe it. */
export interface Session {
  readonly handle: string
  /** The number of changes of the id, apart from renewals. */
  readonly epoch: number
  /** The user who is logged in, or who is shown. */
  readonly user: Known | undefined
  readonly half: (Pick<Known, 'userId' | 'called' | 'password' | 'methods'> & { readonly until: number }) | undefined
  readonly actor: Actor | undefined
  readonly createdAt: number
  readonly authenticatedAt: number | undefined
  readonly lastSeenAt: number
  readonly idle: number
  readonly absolute: number
  readonly isForked: boolean
  /** The latest instant up to which `revokeAll` spared the session. */
  readonly sparedAt: number
  /** Tells whether a client has shown the id of the last change. */
  readonly isShown: boolean
  readonly label: string | undefined
  /** The client that owns the ids, and the one of the login. */
  readonly owner: string
  readonly device: string | undefined
  readonly data: Data
}

/** Returns a session of nobody that begins now. */
export function blank(now: number, owner: string): Session {
  return {
    ...{ handle: '', epoch: 0, user: undefined, half: undefined, actor: undefined, createdAt: now },
    ...{ authenticatedAt: undefined, lastSeenAt: now, idle: now + USUAL.idle, absolute: now + USUAL.absolute },
    ...{ isForked: false, sparedAt: 0, isShown: false, label: undefined, owner, device: undefined, data: {} },
  }
}

/** Returns the times of a session. */
export function timesOf({ user }: Pick<Session, 'user'>): Times {
  return user?.times ?? USUAL
}

/** Returns a session that was used now. */
export function usedAt(session: Session, now: number): Session {
  const { user, absolute } = session
  const idle = user?.isRemembered === true ? absolute : Math.min(now + timesOf(session).idle, absolute)
  return { ...session, lastSeenAt: now, idle }
}

/** Tells whether a use is to be written. */
export function isTouchDue(session: Session, now: number): boolean {
  return now - session.lastSeenAt >= timesOf(session).idle / 20
}

/** Returns a session in which somebody has just proved who they are. */
export function proved(session: Session, user: Omit<Known, 'absolute'>, now: number): Session {
  const { absolute: usual, remembered } = user.times ?? USUAL
  const absolute = now + (user.isRemembered ? remembered : usual)
  // The last look at the credentials was now at the latest.
  const checkedAt = Math.min(user.checkedAt, now)
  const login = { user: { ...user, checkedAt, absolute }, absolute, authenticatedAt: now, isForked: false }
  return usedAt({ ...session, ...login, half: undefined, actor: undefined }, now)
}

/** Tells whether a session is over by its deadlines. */
export function isOver({ idle, absolute }: Session, now: number): boolean {
  return now >= idle || now >= absolute
}

/** Returns the person who is really there. */
export function personOf({ user, actor }: Session): User | undefined {
  return (actor ?? user)?.userId
}

/** Tells whether a session ends with the sessions of a user. A half login counts until it is over. */
export function endsWith({ user, actor, half }: Session, userId: User): boolean {
  return [user, actor, half].some((one) => one?.userId === userId)
}

/** Returns the ways that were used, with those that are used now. */
export function withMethods(before: readonly Used[], used: readonly string[], now: number): readonly Used[] {
  const others = before.filter(({ name }) => !used.includes(name))
  return [
    ...others.map(({ name, at }) => ({ name, at: Math.min(at, now) })),
    ...used.map((name) => ({ name, at: now })),
  ]
}

/** Returns the instant at which the session began, for `revokeAll`. */
export function beganAt({ authenticatedAt, createdAt, sparedAt }: Session): number {
  return Math.max(authenticatedAt ?? createdAt, sparedAt)
}

/** Tells whether a session says that something happened later than now. `latestId` is what its ids say. */
export function isAhead(session: Session, latestId: number, now: number): boolean {
  return session.lastSeenAt > now || beganAt(session) > now || latestOf(session, latestId) > now + SKEW
}

/** Returns the latest instant of what was asked and of what ids were shown. */
export function latestOf({ user }: Session, latestId: number): number {
  return Math.max(user?.checkedAt ?? 0, user?.userAt ?? 0, latestId)
}

/** Returns a session of which nothing is later than now. */
export function broughtBack(session: Session, latestId: number, now: number): Session {
  const { user, actor, createdAt, authenticatedAt } = session
  const isFar = latestOf(session, latestId) > now + SKEW
  const isLate = beganAt(session) > now
  const late = (one: Pick<Known, 'isRemembered' | 'times'> | undefined): number => {
    const { absolute, remembered } = one?.times ?? USUAL
    return now + (one?.isRemembered === true ? remembered : absolute)
  }
  const actorsEnd = actor !== undefined && actor.since > now ? now + session.absolute - actor.since : undefined
  return {
    ...session,
    createdAt: Math.min(createdAt, now),
    authenticatedAt: authenticatedAt && Math.min(authenticatedAt, now),
    absolute: actorsEnd ?? (isLate ? Math.min(session.absolute, late(user)) : session.absolute),
    user: user && { ...user, ...(isFar && instantsUpTo(user, now)), methods: methodsUpTo(user, now) },
    actor: actor && {
      ...actor,
      ...instantsUpTo(actor, now),
      since: Math.min(actor.since, now),
      absolute: isLate ? Math.min(actor.absolute, late(actor)) : actor.absolute,
      methods: methodsUpTo(actor, now),
    },
  }
}

function instantsUpTo({ checkedAt, userAt }: Known, now: number): Pick<Known, 'checkedAt' | 'userAt'> {
  return { checkedAt: Math.min(checkedAt, now), userAt: Math.min(userAt, now) }
}

function methodsUpTo({ methods }: Known, now: number): readonly Used[] {
  return methods.map(({ name, at }) => ({ name, at: Math.min(at, now) }))
}
