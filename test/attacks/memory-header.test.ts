import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { attackByHeader, ATTACKS } from '../support/attack-suites.ts'

t.setTimeout(300_000)
attackByHeader(t, (_t, clock) => memoryStore({ clock }), Object.keys(ATTACKS))
