import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { attackByCookie } from '../support/attack-suites.ts'

t.setTimeout(300_000)
attackByCookie(t, (_t, clock) => memoryStore({ clock }))
