import t from 'tap'
import { decodeRecord, encodeRecord, keyOf } from '../../lib/stores/codec.ts'
import { HOSTILE_NAMES, recordAt } from '../../lib/testing/contract/check.ts'

t.test('a record is read as it was written, with what has moved since', async (t) => {
  const record = recordAt(Date.now())
  const text = encodeRecord(record)
  const moved = { lastSeenAt: record.lastSeenAt + 1, idleDeadline: record.idleDeadline + 1 }
  t.strictSame(decodeRecord(text), record)
  t.strictSame(decodeRecord(text, moved), { ...record, ...moved })
})

t.test('a text that is not the whole of a record is no record', async (t) => {
  const { secretHash: _, ...rest } = recordAt(Date.now())
  for (const text of ['', '{', '{}', 'null', '7', '"text"', '[]', JSON.stringify(rest)]) {
    t.equal(decodeRecord(text), undefined)
  }
})

t.test('a short and plain name is its own key, and any other name has a key that all versions agree on', async (t) => {
  for (const name of ['a', 'Zw-_.:@|+=~/9', 'x'.repeat(128)]) t.equal(keyOf(name), name)
  // These keys stand in the stores of users. A session under another key would be lost.
  t.equal(keyOf('x'.repeat(129)), '#PJqBudGSEc6ERnfqpztEoN4dVd4OsjqGQASBxfwGp3I')
  t.equal(keyOf('\ud83c'), '#I0P7fIGMnXHvGppocBGv48kRBeoC9HoLwFDmoCh7k8I')
})

t.test('two names never have one key, and no key needs quoting', async (t) => {
  const keys = [...HOSTILE_NAMES, '\ud83d'].map(keyOf)
  t.equal(new Set(keys).size, keys.length)
  for (const key of keys) t.match(key, /^[#\w.:@|+=~/-]{1,128}$/)
})
