import * as fc from 'fast-check'
import t from 'tap'
import type { Place } from '../../lib/storage/in-flight.ts'
import { InFlight } from '../../lib/storage/in-flight.ts'

function sorted(items: Iterable<number>): string {
  return [...items].toSorted((a, b) => a - b).join()
}

t.test('work in flight is what was added and not removed, in whatever order', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (steps) => {
      const places: Place<number>[] = []
      const model = new Set<number>()
      const work = new InFlight<number>()
      for (const [item, step] of steps.entries()) {
        const known = places[step]
        if (known === undefined) {
          places.push(work.add(item))
          model.add(item)
        } else if (work.remove(known) !== model.delete(known.item)) return false
      }
      const isSame = sorted(work) === sorted(model)
      return isSame && work.size === model.size && places.every((place) => work.has(place) === model.has(place.item))
    }),
  )
  t.pass('held')
})

t.test('what is removed during a walk is not visited', async (t) => {
  const work = new InFlight<string>()
  const places = ['a', 'b', 'c'].map((item) => work.add(item))
  const seen: string[] = []
  for (const item of work) {
    seen.push(item)
    for (const place of places) if (place.item !== item) work.remove(place)
  }
  t.strictSame(seen, ['a'])
})

t.test('what is added during a walk is not visited', async (t) => {
  const work = new InFlight<string>()
  work.add('a')
  const seen: string[] = []
  for (const item of work) {
    seen.push(item)
    work.add('b')
  }
  t.strictSame([seen, work.size], [['a'], 2])
})

t.test('a filter finds what a test picks, and nothing that was removed', async (t) => {
  const work = new InFlight<number>()
  const places = [1, 2, 3, 4].map((item) => work.add(item))
  work.remove(places[1] as Place<number>)
  t.equal(sorted(work.filter((item) => item % 2 === 0)), '4')
  t.equal(sorted(work.filter(() => true)), '1,3,4')
})
