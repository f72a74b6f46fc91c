import { Pool } from 'pg'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { attackBothWays } from '../support/attack-suites.ts'
import { startPostgres } from '../support/servers/postgres.ts'

t.setTimeout(900_000)
const server = await startPostgres(t)
const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 5000 })
t.teardown(() => pool.end())

attackBothWays(t, (_t, clock) => postgresStore({ pool, createTable: true, clock, timeout: '60s' }), 3)
