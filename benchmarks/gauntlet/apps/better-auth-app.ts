import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { Site } from '../routes.ts'
import { OFFICER, roles } from '../routes.ts'
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
    }
  }>
}

/** The tables of the adapter that keeps everything in memory. */
interface Tables {
  readonly user: { id: string; name: string }[]
  readonly session: object[]
  readonly account: object[]
  readonly verification: object[]
}

interface Shown {
  readonly user: { readonly name: string; readonly role?: string | null }
}

async function makeAuth(tables: Tables): Promise<Auth> {
  const require = createRequire(`${packagesOf('better-auth')}/node_modules/package.json`)
  const load = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href)
  const { betterAuth } = (await load('better-auth')) as { betterAuth: (options: object) => Auth }
  const { memoryAdapter } = (await load('better-auth/adapters/memory')) as { memoryAdapter: (tables: Tables) => object }
  return betterAuth({
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    user: { additionalFields: { role: { type: 'string', required: false, input: false } } },
    baseURL: ORIGIN,
    secret: randomBytes(32).toString('base64url'),
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  })
}

function addressOf(name: string): string {
  return `${name}@app.example`
}

/** better-auth with logins by password, as its guide has it. It keeps users, and no other data. */
export async function startBetterAuth(): Promise<URL> {
  const tables: Tables = { user: [], session: [], account: [], verification: [] }
  const auth = await makeAuth(tables)
  const ask = async (path: string, cookie: string, body?: object): Promise<Response> => {
    const headers = { origin: ORIGIN, 'content-type': 'application/json', cookie }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    return auth.handler(new Request(`${ORIGIN}/api/auth${path}`, init))
  }
  const idOf = (name: string): string => tables.user.find((user) => user.name === name)?.id ?? ''
  const { internalAdapter } = await auth.$context
  for (const name of ['alice', 'bob', 'mallory', OFFICER]) {
    await ask('/sign-up/email', '', { email: addressOf(name), password: PASSWORD, name })
    await internalAdapter.updateUser(idOf(name), { role: roles.get(name) ?? null })
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
      demote: (name) => internalAdapter.updateUser(idOf(name), { role: roles.get(name) ?? null }),
      endAll: (name) => internalAdapter.deleteUserSessions(idOf(name)),
    }
  }
  return listen((request, response) => {
    void siteOf(request, response).then((site) => respond(request, response, site))
  })
}
