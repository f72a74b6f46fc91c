import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { BegunWork } from '../../lib/session/begun.ts'

t.test('a failure is unseen until somebody looks at its promise', async (t) => {
  const begun = new BegunWork()
  const failure = new Error('away')
  const given = begun.add(Promise.reject(failure))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(begun.unseenFailure, failure)
  await t.rejects(given, failure)
  t.equal(begun.unseenFailure, undefined)
})

t.test('what is done is forgotten', async (t) => {
  const begun = new BegunWork()
  const given = new WeakRef(begun.add(Promise.resolve()))
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  t.equal(given.deref(), undefined)
  t.equal(begun.unseenFailure, undefined)
})
