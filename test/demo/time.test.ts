import t from 'tap'
import { ago, clockTime, day, instant, inWords } from '../../lib/demo/time.ts'

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]

t.test('a length of time is written in its two largest units', async (t) => {
  t.equal(inWords(30 * MINUTE), '30 minutes')
  t.equal(inWords(HOUR), '1 hour')
  t.equal(inWords(11 * HOUR + 59 * MINUTE + 59_999), '11 hours 59 minutes')
  t.equal(inWords(13 * DAY + HOUR + MINUTE), '13 days 1 hour')
  t.equal(inWords(59_999), 'less than a minute')
  t.equal(inWords(-5), 'less than a minute')
})

t.test('the time since an event is written in one unit', async (t) => {
  t.equal(ago(59_999), 'just now')
  t.equal(ago(61_000), '1 minute ago')
  t.equal(ago(2 * HOUR + 5 * MINUTE), '2 hours ago')
})

t.test('an instant is written with its time zone', async (t) => {
  const at = new Date(2026, 10, 23, 9, 5, 7)
  t.match(instant(at), /^23 Nov, 09:05 \S+/)
  t.equal(clockTime(at), '09:05:07')
  t.equal(day(at), '23 Nov')
})
