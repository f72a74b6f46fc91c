import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { actingAsAnother } from './acting.ts'
import { halfLogin } from './half-login.ts'

t.setTimeout(300_000)
actingAsAnother(t, (_t, clock) => memoryStore({ clock }))
halfLogin(t, (_t, clock) => memoryStore({ clock }))
