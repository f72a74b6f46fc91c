import t from 'tap'
import { readRecords } from '../../lib/session/read-records.ts'
import { coreOnly } from '../plugin/stores.ts'
import { engineWorld } from './engine-world.ts'
import { ownedBy } from './records.ts'

for (const isMany of [true, false]) {
  t.test(`records are found by their handles, ${isMany ? 'with one question' : 'one by one'}`, async (t) => {
    const { engine, put, asked } = await engineWorld(t, isMany ? {} : { store: coreOnly })
    const records = [await put(), await put(ownedBy('ann'))]
    await put()
    const handles = records.map(({ handle }) => handle)
    asked()
    const found = await readRecords(engine.store, [...handles, 'A'.repeat(22)])
    t.strictSame([...found.values()], records)
    t.strictSame([...found.keys()], handles)
    t.strictSame(asked(), isMany ? ['getMany'] : ['get', 'get', 'get'])
    t.equal((await readRecords(engine.store, [])).size, 0)
    t.strictSame(asked(), [], 'nothing is asked for nothing')
  })
}
