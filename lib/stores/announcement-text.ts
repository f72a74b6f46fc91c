import type { Announcement } from '../../types/index.ts'

/** The beginnings of the two kinds of messages on a server's channel. */
export const ENDED = 'ended '
export const RAISED = 'cutoff '

/** Reads a message of the channel. Anybody may speak there: `undefined` for everything that is no announcement. */
export function announcementOf(message: string): Announcement | undefined {
  if (message.startsWith(ENDED)) return { handle: message.slice(ENDED.length) }
  const cutoff = message.startsWith(RAISED) ? Number(message.slice(RAISED.length)) : Number.NaN
  return Number.isFinite(cutoff) ? { cutoff } : undefined
}
