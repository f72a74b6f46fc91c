import { join } from 'node:path'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

/** Options that production accepts without a word. */
export function productionSession(t: { teardown(end: () => void): void }): SecureSessionOptions {
  const database = betterSqlite.open(join(temporaryFolder(t), 'sessions.db'))
  t.teardown(() => void database.close())
  return { environment: 'production', secret: SECRET, tls: 'proxy', maxSessions: 5, store: sqliteStore({ database }) }
}
