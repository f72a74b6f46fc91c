import type { SessionUser } from '../../types/index.ts'

/**
 * The sessions that the actors of a scene have:
 * - `shared`: all have one session of one user;
 * - `guest`: all have one anonymous session;
 * - `devices`: each has a session of its own, all of one user;
 * - `cached`: as `shared`, and records are cached in the process;
 * - `bound`: as `shared`, and the session is bound to a device;
 * - `registered`: as `bound`, and the browser has not shown the bound cookie yet;
 * - `acting`: as `shared`, and the user acts as another user there;
 * - `header`: as `shared`, and the client brings the id in a header.
 */
export const KINDS = ['shared', 'guest', 'devices', 'cached', 'bound', 'registered', 'acting', 'header'] as const
export type Kind = (typeof KINDS)[number]

/** Tells whether the session of a scene is bound to a device. */
export function isBoundKind(kind: Kind): boolean {
  return kind === 'bound' || kind === 'registered'
}

/** The lifetimes of the sessions of a user who is given a short time, in milliseconds. */
export const SHORT_LIFE = { idle: 600_000, absolute: 3_600_000 }

/** A user whose sessions live for less time than those of others. */
export const HURRIED: SessionUser = { id: 'alice', isHurried: true } as SessionUser

/** The user of a session that an act begins for itself, so that no other act meets it. */
export const OWN_USER = 'carol'

/** The name that an act gives to the user in the database. */
export const NEW_NAME = 'new'
