/** The instants that are still to pass. `undefined` for a request that nothing cuts. */
let left: number | undefined

/** Reads from the address of a request at which of its instants the process ends. The first is its arrival. */
export function cutAt(url = ''): void {
  const cut = new URL(url, 'http://localhost').searchParams.get('cut')
  left = cut === null ? undefined : Number(cut)
  instant()
}

/** Ends the process with SIGKILL, if this is the instant of the request at which it ends. */
export function instant(): void {
  if (left === undefined) return
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  left -= 1
}

/** Runs a store operation, with an instant before it and one after its answer. */
export function between<Result>(run: () => Result): Result {
  if (left === undefined) return run()
  instant()
  const result = run()
  if (result instanceof Promise) return result.finally(instant) as Result
  instant()
  return result
}

type Done = (...answer: unknown[]) => void
type Operation = (...args: unknown[]) => unknown

/** Puts instants around the operations of a store for express-session, whose last argument is a callback. */
export function withInstants<Store extends object>(store: Store): Store {
  for (const name of ['get', 'set', 'touch', 'destroy']) {
    const run = Reflect.get(store, name) as Operation | undefined
    if (run === undefined) continue
    Reflect.set(store, name, (...args: unknown[]): unknown => {
      const done = args.pop() as Done
      const answered: Done = (...answer) => {
        instant()
        done(...answer)
      }
      instant()
      return Reflect.apply(run, store, [...args, answered])
    })
  }
  return store
}
