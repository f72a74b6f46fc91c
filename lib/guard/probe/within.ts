/**
 * Returns the answer to a question within a time in milliseconds; `undefined` after that time or a failure. Never
 * rejects.
 */
export async function within<Answer>(
  timeout: number,
  ask: () => Answer | Promise<Answer>,
): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeout)
  })
  const asked = Promise.resolve()
    .then(ask)
    .catch(() => undefined)
  const answer = await Promise.race([late, asked])
  clearTimeout(timer)
  return answer
}
