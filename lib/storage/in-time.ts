/**
 * Waits for a promise, but no longer than `limit` milliseconds. After that, the result is what `whenLate` returns or
 * throws.
 */
export async function inTime<Value, Late>(
  promise: Promise<Value>,
  limit: number,
  whenLate: () => Late,
): Promise<Value | Late> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<() => Late>((resolve) => {
    timer = setTimeout(() => resolve(whenLate), limit)
  })
  const answer = promise.then((value) => () => value)
  try {
    return (await Promise.race([answer, late]))()
  } finally {
    clearTimeout(timer)
  }
}

/** Returns what `inTime` calls to reject with an error of this message. */
export function complain(message: string): () => never {
  return () => {
    throw new Error(message)
  }
}
