import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { randomAttack } from './random.ts'

randomAttack(t, (_t, clock) => memoryStore({ clock }), 400)
