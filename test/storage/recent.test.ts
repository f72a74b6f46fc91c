import t from 'tap'
import { Recent } from '../../lib/storage/recent.ts'

t.test('remembers at least as many as the limit, and at most twice that', async (t) => {
  const recent = new Recent<number>(3)
  for (let count = 1; count <= 20; count += 1) {
    recent.set(String(count), count)
    const known = Array.from({ length: count }, (_, index) => recent.get(String(index + 1))).filter(
      (value) => value !== undefined,
    )
    t.ok(known.length >= Math.min(count, 3))
    t.ok(known.length <= 6)
    t.same(
      known,
      known.toSorted((a, b) => a - b),
    )
    t.equal(known.at(-1), count, 'the oldest went first')
  }
  recent.set('20', 0)
  t.equal(recent.get('20'), 0, 'the latest value counts')
})
