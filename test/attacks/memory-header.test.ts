import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { MakeStore } from '../support/app.ts'
import { attackByHeader, byHeader } from '../support/attack-suites.ts'
import { randomAttack } from './random.ts'

t.setTimeout(300_000)
const makeStore: MakeStore = (_t, clock) => memoryStore({ clock })

attackByHeader(t, makeStore)
randomAttack(t, byHeader(makeStore), 60)
