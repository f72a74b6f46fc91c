import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { randomAttack } from './random.ts'

t.setTimeout(300_000)
randomAttack(t, (_t, clock) => memoryStore({ clock }), 400)
