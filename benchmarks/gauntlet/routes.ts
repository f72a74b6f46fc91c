import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A session as each app reads and changes it, by what the README of its library shows. */
export interface Site {
  user(): string | null
  data(): Record<string, unknown>
  login(user: string): unknown
  logout(): unknown
  write(key: string, value: string): unknown
}

/** What a route answers. */
export interface Answer {
  readonly user: string | null
  readonly data: Record<string, unknown>
}

/** The folder through which a case holds a request open. */
export const GATE = 'GAUNTLET_GATE'

/** The routes that every app has. */
export async function answer(url: string, site: Site): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const user = searchParams.get('user') ?? ''
  const key = searchParams.get('key') ?? ''
  switch (pathname) {
    case '/login':
      await site.login(user)
      break
    case '/login-fails':
      await site.login(user)
      throw new Error('the handler failed')
    case '/logout':
      await site.logout()
      return { user: null, data: {} }
    case '/write':
      await site.write(key, searchParams.get('value') ?? key)
      break
    case '/slow-write': {
      site.data()
      await pass(searchParams.get('gate') ?? '')
      await site.write(key, key)
      break
    }
    default:
  }
  return { user: site.user(), data: site.data() }
}

/** Tells the case that the request has come, and waits until the case lets it go on. */
async function pass(gate: string): Promise<void> {
  const folder = process.env[GATE] ?? ''
  writeFileSync(join(folder, `${gate}.arrived`), '')
  while (!existsSync(join(folder, `${gate}.go`))) await wait(5)
}
