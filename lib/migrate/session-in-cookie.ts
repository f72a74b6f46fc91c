import type { OldData, OldSession } from '../../types/index.ts'

/** An old session whose content its cookie holds. `undefined` for a content that is no object. */
export function sessionInCookie(key: string, content: unknown, endsAt?: number): OldSession | undefined {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined
  const data = content as OldData['data']
  return { key, isInCookie: true, load: async () => ({ data, endsAt }), remove: async () => undefined }
}
