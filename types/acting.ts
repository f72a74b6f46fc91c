import type { Duration } from './duration.ts'

/** The options of `req.actAs(user, options)`. */
export interface ActAsOptions {
  /** The reason, for the audit log and for device lists: 1 to 200 characters. */
  reason: string
  /** The longest time, such as `'30m'`. The absolute timeout of the actor's session is the limit. Default `'30m'`. */
  for?: Duration | undefined
}

/** The facts about a session in which somebody acts as another user. */
export interface ActingFacts {
  /** The user who really is there. */
  readonly actorId: string
  /** The `reason` given to `actAs`. */
  readonly reason: string
  readonly since: Date
}
