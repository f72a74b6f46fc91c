import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { attack } from '../support/attack-suites.ts'

t.setTimeout(300_000)
attack(t, (_t, clock) => memoryStore({ clock }))
