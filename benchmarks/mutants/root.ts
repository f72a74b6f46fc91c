import { t } from 'tap'

/** The arguments of each test that the file has at its top. */
export const tests: unknown[][] = []

/** Stands in for `tap` in a test file: a test at the top of the file waits until the worker runs it. */
export default new Proxy(t, {
  get(target, key) {
    if (key === 'test') {
      return (...args: unknown[]) => {
        tests.push(args)
        return Promise.resolve()
      }
    }
    // The time limits are those of the run of mutants.
    if (key === 'setTimeout') return () => undefined
    const value: unknown = Reflect.get(target, key)
    return typeof value === 'function' ? (value.bind(target) as unknown) : value
  },
})
