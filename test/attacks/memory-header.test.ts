import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { attackByHeader, ATTACKS } from '../support/attack-suites.ts'

t.setTimeout(300_000)
// Attacks from outside show the text of a `Cookie` header.
const { 'from outside': _byCookie, ...byHeader } = ATTACKS
attackByHeader(t, (_t, clock) => memoryStore({ clock }), Object.keys(byHeader))
