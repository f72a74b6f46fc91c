import type { Closing } from '../../types/index.ts'
import { StoreUnusable } from './open/drivers.ts'
import type { OpenedStore } from './open/opened.ts'
import { openUrl, schemeOf } from './open/store-url.ts'
import { explainFailure, placeOf } from './open/words.ts'
import { packageFolders } from './package-folders.ts'
import { refuseUnread } from './refuse-options.ts'

/** Options of `openStore`. */
export interface OpenStoreOptions {
  /** Name of the table of a SQLite or PostgreSQL store. Default `sessions`. */
  table?: string
  /** The beginning of all keys of a Redis store. Default `session:`. */
  prefix?: string
  /**
   * The folder of the project that has the driver, and from which the path of a SQLite file is meant. Default: the
   * working directory.
   */
  cwd?: string
}

/** A store that has opened its own connection. The plugin closes it with the app. */
export type OwnStore = OpenedStore['store'] & Closing

/**
 * Opens the store behind one URL, with the driver that the project has installed and the settings that the guide
 * advises:
 *
 * - `sqlite:sessions.db` with better-sqlite3 or Node's own `node:sqlite`; the file is made when it is missing.
 * - `redis://…` or `rediss://…` with `redis` or `ioredis`. The URL of one node of a Cluster stands for all of it.
 * - `postgres://…` with `pg`; the tables are made when they are missing.
 *
 * The connection is there when the promise resolves, and comes back by itself when it is lost later.
 * @throws an `Error` when there is no driver, or when the server is away or refuses the login. The message says what is
 * wrong, without the password of the URL.
 */
export async function openStore(given: string | undefined, options: OpenStoreOptions = {}): Promise<OwnStore> {
  // A file of a secret often ends with a line break.
  const url = typeof given === 'string' ? given.trim() : ''
  if (url === '') {
    throw new StoreUnusable(
      'openStore: no URL was given. Is the environment variable set, to sqlite:sessions.db for instance?',
    )
  }
  refuseUnread('openStore', options, ['table', 'prefix', 'cwd'])
  const { table, prefix, cwd } = options
  refuseMisfits(url, options)
  try {
    return closing(await openUrl(url, { from: packageFolders(cwd), isApp: true, table, prefix }))
  } catch (error) {
    if (error instanceof StoreUnusable) throw new StoreUnusable(`openStore: ${error.message}`)
    throw new StoreUnusable(`openStore: the store at ${placeOf(url)} cannot be used: ${explainFailure(error, url)}`)
  }
}

function refuseMisfits(url: string, { table, prefix }: OpenStoreOptions): void {
  const isRedis = /^rediss?$/.test(schemeOf(url) ?? '')
  if (isRedis && table !== undefined) throw new StoreUnusable('openStore: Redis has a prefix, not a table.')
  if (!isRedis && prefix !== undefined) {
    throw new StoreUnusable('openStore: only Redis has a prefix; other stores have a table.')
  }
}

/** The store itself with one more method: a wrapper would hide what it can do without promises. */
function closing(opened: OpenedStore): OwnStore {
  let closed: Promise<void> | undefined
  return Object.assign(opened.store, { close: () => (closed ??= opened.close()) })
}
