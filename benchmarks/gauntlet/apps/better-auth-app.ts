import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { between } from '../instants.ts'
import type { Site } from '../routes.ts'
import { OFFICER, roles } from '../routes.ts'
import { serve } from '../serve.ts'
import type { Setting } from '../setting.ts'
import { listen, packagesOf, respond } from './node-apps.ts'

/** The place of the app, as its users see it. */
const ORIGIN = 'https://app.example'

const PASSWORD = 'a password of everybody'

interface Auth {
  handler(request: Request): Promise<Response>
  readonly $context: Promise<{
    readonly internalAdapter: {
      deleteUserSessions(userId: string): Promise<unknown>
      updateUser(userId: string, change: object): Promise<unknown>
      findUserByEmail(email: string): Promise<{ user: { id: string } } | null>
    }
  }>
}

interface Shown {
  readonly user: { readonly name: string; readonly role?: string | null }
}

/** Opens a database with an instant before and after each statement. */
function openDatabase(folder: string): Database.Database {
  const database = new Database(join(folder, 'auth.sqlite'))
  const prepare = database.prepare.bind(database)
  database.prepare = ((sql: string) => {
    const statement = prepare(sql)
    for (const name of ['all', 'run'] as const) {
      const run = statement[name].bind(statement) as (...args: unknown[]) => never
      statement[name] = (...args: unknown[]) => between(() => run(...args))
    }
    return statement
  }) as typeof database.prepare
  return database
}

async function makeAuth({ secret, folder }: Setting): Promise<Auth> {
  const require = createRequire(`${packagesOf('better-auth')}/node_modules/package.json`)
  const load = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href)
  const { betterAuth } = (await load('better-auth')) as { betterAuth: (options: object) => Auth }
  const { getMigrations } = (await load('better-auth/db/migration')) as {
    getMigrations: (options: object) => Promise<{ runMigrations(): Promise<void> }>
  }
  const options = {
    database: openDatabase(folder),
    emailAndPassword: { enabled: true },
    user: { additionalFields: { role: { type: 'string', required: false, input: false } } },
    baseURL: ORIGIN,
    secret,
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  }
  await (await getMigrations(options)).runMigrations()
  return betterAuth(options)
}

function addressOf(name: string): string {
  return `${name}@app.example`
}

/** better-auth on SQLite with logins by password, as its guide has it. It keeps users, and no other data. */
export async function startBetterAuth(setting: Setting): Promise<URL> {
  const auth = await makeAuth(setting)
  const ask = async (path: string, cookie: string, body?: object): Promise<Response> => {
    const headers = { origin: ORIGIN, 'content-type': 'application/json', cookie }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    return auth.handler(new Request(`${ORIGIN}/api/auth${path}`, init))
  }
  const { internalAdapter } = await auth.$context
  const idOf = async (name: string): Promise<string> =>
    (await internalAdapter.findUserByEmail(addressOf(name)))?.user.id ?? ''
  for (const name of ['alice', 'bob', 'mallory', OFFICER]) {
    if ((await idOf(name)) !== '') continue
    await ask('/sign-up/email', '', { email: addressOf(name), password: PASSWORD, name })
    await internalAdapter.updateUser(await idOf(name), { role: roles.get(name) ?? null })
  }
  const siteOf = async (request: IncomingMessage, response: ServerResponse): Promise<Site> => {
    const { cookie = '' } = request.headers
    const shown = (await (await ask('/get-session', cookie)).json()) as Shown | null
    let user = shown?.user.name ?? null
    const send = async (path: string, body: object): Promise<void> => {
      const answer = await ask(path, cookie, body)
      for (const line of answer.headers.getSetCookie()) response.appendHeader('set-cookie', line)
    }
    return {
      user: () => user,
      data: () => ({}),
      async login(name) {
        await send('/sign-in/email', { email: addressOf(name), password: PASSWORD })
        user = name
      },
      logout: () => send('/sign-out', {}),
      write: () => undefined,
      role: () => shown?.user.role ?? null,
      demote: async (name) => internalAdapter.updateUser(await idOf(name), { role: roles.get(name) ?? null }),
      endAll: async (name) => internalAdapter.deleteUserSessions(await idOf(name)),
    }
  }
  return listen(setting, (request, response) => {
    void siteOf(request, response).then((site) => respond(request, response, site))
  })
}

await serve(import.meta.url, { startBetterAuth })
