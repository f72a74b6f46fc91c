import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { storeContract } from '../../lib/testing/index.ts'

t.comment('a record in memory cannot be damaged: the checks of damage are for stores that keep text')
for (const check of storeContract((clock) => ({ store: memoryStore({ clock }) }))) {
  if (check.part !== 'damage') t.test(check.name, () => check.run())
}
