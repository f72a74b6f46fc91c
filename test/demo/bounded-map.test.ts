import t from 'tap'
import { BoundedMap } from '../../lib/demo/bounded-map.ts'

t.test('a full map forgets the entry that was set longest ago', async (t) => {
  const map = new BoundedMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  t.equal(map.get('b'), undefined)
  t.equal(map.get('a'), 3)
  t.equal(map.get('c'), 4)
})
