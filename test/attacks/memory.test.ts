import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { attack } from '../support/attack-suites.ts'

attack(t, (_t, clock) => memoryStore({ clock }))
