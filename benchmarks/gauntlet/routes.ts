import { existsSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { instant } from './instants.ts'

/** A session as each app reads and changes it, by what the README of its library shows. */
export interface Site {
  user(): string | null
  data(): Record<string, unknown>
  login(user: string): unknown
  logout(): unknown
  write(key: string, value: string): unknown
  /** The role of the user as the library has it. Absent where the app keeps it in the session from the login on. */
  role?(): string | null
  /** Takes the role away. Absent where no session hears of it. */
  demote?(user: string): unknown
  /** Ends all sessions of a user. Absent where the library cannot. */
  endAll?(user: string): unknown
}

/** The answer of a route. */
export interface Answer {
  readonly user: string | null
  readonly data: Record<string, unknown>
  readonly role?: unknown
}

/** The user who has a role, and the roles of all users as the app's own table has them. */
export const OFFICER = 'olivia'
export const roles = new Map<string, string>()

/** Minutes by which the clock was moved on, for a library whose clock can be moved. */
export const shift = { minutes: 0 }

/** The folder through which a case holds a request open. */
export const GATE = 'GAUNTLET_GATE'

/** Sets back what the apps of this process share. */
export function beginAgain(): void {
  roles.set(OFFICER, 'admin')
  shift.minutes = 0
}

/** Answers the routes that every app has. */
export async function answer(url: string, site: Site): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const user = searchParams.get('user') ?? ''
  const key = searchParams.get('key') ?? ''
  switch (pathname) {
    case '/login':
      await logIn(site, user)
      instant()
      break
    case '/slow-login':
      await logIn(site, user)
      await pass(searchParams.get('gate') ?? '')
      break
    case '/demote':
      roles.set(user, 'member')
      await site.demote?.(user)
      return { user: null, data: {} }
    case '/end-all':
      await site.endAll?.(user)
      return { user: null, data: { canEndAll: site.endAll !== undefined } }
    case '/later':
      shift.minutes += Number(searchParams.get('minutes'))
      return { user: null, data: {} }
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
  const data = site.data()
  return { user: site.user(), data, role: site.role === undefined ? data['role'] : site.role() }
}

async function logIn(site: Site, user: string): Promise<void> {
  await site.login(user)
  const role = roles.get(user)
  if (role !== undefined && site.role === undefined) await site.write('role', role)
}

/** The time between two messages of a stream, in milliseconds. */
const TICK = 20

/** Sends messages until the client or the server ends the reply. */
export function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('data: first\n\n')
  const timer = setInterval(() => response.write('data: more\n\n'), TICK)
  response.once('close', () => clearInterval(timer))
}

/** Tells the case that the request has come, and waits until the case lets it go on. */
async function pass(gate: string): Promise<void> {
  const folder = process.env[GATE] ?? ''
  writeFileSync(join(folder, `${gate}.arrived`), '')
  while (!existsSync(join(folder, `${gate}.go`))) await wait(5)
}
