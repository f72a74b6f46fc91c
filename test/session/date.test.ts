import t from 'tap'
import { endOfDate } from '../../lib/session/date.ts'

t.test('a day ends with its last millisecond in UTC, and an instant is itself', async (t) => {
  t.equal(endOfDate('2026-11-28'), Date.UTC(2026, 10, 29))
  t.equal(endOfDate('2026-12-31'), Date.UTC(2027, 0, 1))
  t.equal(endOfDate('2024-02-29'), Date.UTC(2024, 2, 1), 'a leap day')
  t.equal(endOfDate('1970-01-01'), 86_400_000)
  t.equal(endOfDate('2026-11-28T10:20Z'), Date.UTC(2026, 10, 28, 10, 20))
  t.equal(endOfDate('2026-11-28T10:20:30Z'), Date.UTC(2026, 10, 28, 10, 20, 30))
  t.equal(endOfDate('2026-11-28T10:20:30.5Z'), Date.UTC(2026, 10, 28, 10, 20, 30, 500))
  t.equal(endOfDate('2026-11-28T10:20:30.123456789Z'), Date.UTC(2026, 10, 28, 10, 20, 30, 123))
  t.equal(endOfDate('2026-11-28T23:30:00-02:00'), Date.UTC(2026, 10, 29, 1, 30))
  t.equal(endOfDate('2026-11-28T00:30+02:00'), Date.UTC(2026, 10, 27, 22, 30))
})

t.test('what is no date, or no day of the calendar, has no end', async (t) => {
  const days = ['', 'today', '2026', '2026-11', '2026-1-1', '28.11.2026', '2026-13-01', '2026-00-10', '2026-11-00']
  const missing = ['2026-02-30', '2025-02-29', '2026-11-31', '2026-11-32', '2026-02-30T10:20Z', '2026-13-01T10:20Z']
  // An instant without a zone is another one on each machine.
  const instants = ['2026-11-28T10:20', '2026-11-28T10:20:30', '2026-11-28 10:20Z', '2026-11-28T10Z', '2026-11-28T']
  const odd = ['2026-11-28T25:00Z', '2026-11-28T10:60Z', '2026-11-28T10:20:30.1234567890Z', '2026-11-28T10:20+2:00']
  const around = ['x2026-11-28', '2026-11-28x', ' 2026-11-28', '2026-11-28 ', '2026-11-28T10:20Zx', '2026-11-28\n']
  const more = ['+002026-11-28', '12026-11-28', '2026-11-28T10:20:30.Z', '2026-11-28T10:20:30,5Z', '1764288000000']
  for (const text of [days, missing, instants, odd, around, more].flat()) t.equal(endOfDate(text), undefined, text)
})
