import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { Immediate } from '../../lib/storage/immediate.ts'
import { Offer } from '../../lib/storage/immediate.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

const NAMES = [
  ...(['get', 'getMany', 'create', 'update', 'touch', 'delete'] as const),
  ...(['addToIndex', 'keepInIndex', 'removeFromIndex', 'listIndex', 'readCutoff'] as const),
]

t.test('an operation is performed without a promise, unless the app has replaced it in its store', async (t) => {
  for (const name of NAMES) {
    const store = memoryStore()
    const immediate: Immediate = { [name]: () => undefined }
    const offer = new Offer(store, immediate)
    t.equal(offer.having(name), immediate, name)
    t.equal(offer.having(name === 'get' ? 'delete' : 'get'), undefined, `${name} is the only one`)
    Object.assign(store, { [name]: async () => undefined })
    t.equal(offer.having(name), undefined, `${name} is measured by the app`)
  }
})

t.test('a cached record is recalled, unless the store has no cache or the app has replaced its get', async (t) => {
  const store = memoryStore()
  const record = recordAt(Date.now())
  const offer = new Offer(store, { recall: (handle) => (handle === record.handle ? record : undefined) })
  t.equal(offer.recall(record.handle), record)
  t.equal(offer.recall('another'), undefined)
  t.equal(new Offer(store, {}).recall(record.handle), undefined)
  store.get = async () => undefined
  t.equal(offer.recall(record.handle), undefined)
})
