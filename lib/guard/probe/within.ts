import { inTime } from '../../storage/in-time.ts'

/**
 * Returns the answer to a question within a time in milliseconds; `undefined` after that time or a failure. Never
 * rejects.
 */
export function within<Answer>(timeout: number, ask: () => Answer | Promise<Answer>): Promise<Answer | undefined> {
  const answer = Promise.resolve()
    .then(ask)
    .catch(() => undefined)
  return inTime(answer, timeout, () => undefined)
}
