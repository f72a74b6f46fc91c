import type { OpenedStore, OpenSettings } from './opened.ts'
import { StoreUrlError } from './opened.ts'
import { openPostgres } from './postgres.ts'
import { openRedis } from './redis.ts'
import { openSqlite } from './sqlite.ts'

/** The word before the colon of a URL, in small letters; `undefined` when there is none. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
}

/**
 * Opens the store behind a URL with the driver that a project has installed.
 * @throws `StoreUrlError` for a URL that names no store, and `StoreTableError` for a wrong table.
 * @throws `StoreUnusable` when there is no driver.
 * @throws the driver's error when the server refuses the login.
 */
export async function openUrl(url: string, settings: OpenSettings): Promise<OpenedStore> {
  const scheme = schemeOf(url)
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return openRedis(checkedUrl(url), settings)
    case 'postgres':
    case 'postgresql':
      return openPostgres(checkedUrl(url), settings)
    case 'sqlite':
      return openSqlite(url.slice('sqlite:'.length), settings)
    case undefined:
    default:
      // The rest of the URL may hold a password.
      throw new StoreUrlError(`a store begins with redis://, rediss://, postgres:// or sqlite:${beginningOf(url)}.`)
  }
}

/** Says how a text begins that names no store. */
function beginningOf(url: string): string {
  if (/^["']/.test(url)) return ', not with a quotation mark'
  const scheme = schemeOf(url)
  return scheme === undefined ? '' : `, not with ${scheme}:`
}

function checkedUrl(url: string): string {
  if (url.includes('://') && URL.canParse(url)) return url
  throw new StoreUrlError('no valid URL: scheme://user:password@host/name, special characters as %XX.')
}
