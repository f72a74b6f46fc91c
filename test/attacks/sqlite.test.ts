import { join } from 'node:path'
import t from 'tap'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { attack, attackByHeader } from '../support/attack-suites.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

t.setTimeout(900_000)
const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
t.teardown(() => database.close())

attack(t, (_t, clock) => sqliteStore({ database, clock }))
attackByHeader(t, (_t, clock) => sqliteStore({ database, clock }))
