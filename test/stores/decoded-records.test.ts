import t from 'tap'
import { decodeRecord, encodeRecord } from '../../lib/stores/codec.ts'
import { DecodedRecords } from '../../lib/stores/decoded-records.ts'
import { freshName, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import type { SessionRecord } from '../../types/index.ts'

/** Returns a decoder, and a count of the texts that it really decoded. */
function counted(): { decode: (text: string) => SessionRecord | undefined; count: () => number } {
  let count = 0
  return { decode: (text) => ((count += 1), decodeRecord(text)), count: () => count }
}

/** Returns a record without a binding to a device, which may be as long as all else together. */
function ordinaryRecord(): SessionRecord {
  return recordAt(Date.now(), { deviceKey: null })
}

t.test('the same text is decoded once, another text again', async (t) => {
  const { decode, count } = counted()
  const decoded = new DecodedRecords()
  const record = ordinaryRecord()
  const next = nextOf(record, { text: 'changed' })
  const find = (one: SessionRecord): unknown => decoded.find(record.handle, encodeRecord(one), decode)
  t.strictSame(find(record), record)
  t.equal(find(record), find(record), 'the very same object, which need not be examined again')
  t.equal(count(), 1)
  t.strictSame(find(next), next)
  t.equal(count(), 2)
  t.strictSame(find(record), record, 'one text is remembered of each handle')
  t.equal(count(), 3)
})

t.test('the same text under another handle is another record', async (t) => {
  const { decode, count } = counted()
  const decoded = new DecodedRecords()
  const text = encodeRecord(ordinaryRecord())
  t.not(decoded.find('a', text, decode), decoded.find('b', text, decode))
  t.equal(count(), 2)
})

t.test('a record that several requests get cannot be changed by one of them', async (t) => {
  const decoded = new DecodedRecords()
  const record = ordinaryRecord()
  const found = decoded.find(record.handle, encodeRecord(record), decodeRecord) as { userId: string }
  t.throws(() => (found.userId = 'eve'), TypeError)
})

t.test('a damaged record is not remembered', async (t) => {
  const { decode, count } = counted()
  const decoded = new DecodedRecords()
  const record = ordinaryRecord()
  decoded.find(record.handle, encodeRecord(record), decode)
  for (const _ of [1, 2]) t.equal(decoded.find(record.handle, '{', decode), undefined)
  decoded.find(record.handle, encodeRecord(record), decode)
  t.equal(count(), 3)
})

t.test('memory is bounded: long texts are not kept, and of many the oldest make room', async (t) => {
  const { decode, count } = counted()
  const decoded = new DecodedRecords()
  const long = encodeRecord(recordAt(Date.now(), { data: JSON.stringify({ text: 'x'.repeat(5000) }) }))
  for (const _ of [1, 2]) decoded.find('long', long, decode)
  t.equal(count(), 2)
  const text = encodeRecord(ordinaryRecord())
  const names = Array.from({ length: 15_001 }, () => freshName())
  for (const name of names) decoded.find(name, text, decode)
  t.equal(count(), 15_003)
  decoded.find(names.at(-1) ?? '', text, decode)
  decoded.find(names[10_001] ?? '', text, decode)
  t.equal(count(), 15_003)
  decoded.find(names[0] ?? '', text, decode)
  t.equal(count(), 15_004)
})
