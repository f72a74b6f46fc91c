import t from 'tap'
import { startPostgres } from '../support/servers/postgres.ts'
import { twoProcesses } from '../support/two-processes.ts'

const server = await startPostgres(t)
await twoProcesses(t, server.url)
