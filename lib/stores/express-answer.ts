import { causeOf } from '../storage/cause.ts'

/** The callback of an express-session store. */
export type Answer = (error?: unknown, value?: unknown) => void

/**
 * Returns one call of an express-session store as a promise that settles once. The store may call its callback twice,
 * never, at once or late. The store may also throw, or return a promise with or without a callback.
 *
 * With `hasCallback`, only the failure of a returned promise counts. An async function that takes a callback resolves
 * to `undefined`, often before the callback is called.
 */
export function answerOf(call: (answer: Answer) => unknown, hasCallback: boolean, timeout?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`no answer within ${timeout} ms`))
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout).unref()
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      reject(error instanceof Error ? error : causeOf(error))
    }
    const succeed = (value: unknown): void => {
      clearTimeout(timer)
      resolve(value)
    }
    try {
      const returned = call((error, value) => (error ? fail(error) : succeed(value)))
      if (isThenable(returned)) returned.then(hasCallback ? undefined : succeed, fail)
    } catch (error) {
      fail(error)
    }
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
