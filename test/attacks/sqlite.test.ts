import { join } from 'node:path'
import t from 'tap'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { attackBothWays } from '../support/attack-suites.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

t.setTimeout(900_000)
const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
t.teardown(() => database.close())

attackBothWays(t, (_t, clock) => sqliteStore({ database, clock }), 1)
