/**
 * Waits for a promise, but no longer than `limit` milliseconds.
 * @throws an error with `complaint` when the time is over
 */
export async function inTime<Value>(promise: Promise<Value>, limit: number, complaint: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), limit)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
