import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { request as ask } from 'node:http'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { installedPackages } from '../support/packages.ts'
import { freePorts } from '../support/servers/redis.ts'
import { serve, serveTls } from './deployments.ts'

interface Test {
  teardown(end: () => Promise<void> | void): void
}

const PYTHON = '/usr/bin/python3'

/** The command of a target, before its port. */
const COMMANDS = {
  django: { service: 'django', command: [PYTHON, file('django_app.py')] },
  flask: { service: 'flask', command: [PYTHON, file('flask_app.py')] },
  php: { service: 'php', command: ['php', '-S'] },
} as const

function file(name: string): string {
  return fileURLToPath(new URL(`targets/${name}`, import.meta.url))
}

/** Starts an app of another language. It is gone when the test ends. */
export async function startTarget(
  t: Test,
  name: keyof typeof COMMANDS,
  env: Record<string, string> = {},
): Promise<URL> {
  const { service, command } = COMMANDS[name]
  execFileSync(fileURLToPath(new URL('../support/services.sh', import.meta.url)), [service], { stdio: 'inherit' })
  const [port = 0] = await freePorts(1)
  const place = name === 'php' ? [`127.0.0.1:${port}`, file('php_app.php')] : [String(port)]
  const args = ['--pdeathsig', 'KILL', ...command, ...place]
  const child = spawn('setpriv', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${name} does not start: ${errors}`)
    await wait(20)
  }
  return new URL(`http://127.0.0.1:${port}/`)
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Serves an app over https, as a proxy that ends TLS does. */
export function behindTls(t: Test, app: URL): Promise<URL> {
  return serveTls(t as Parameters<typeof serveTls>[0], (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-proto': 'https' }
    const sent = ask({ host: app.hostname, port: app.port, path: request.url, method: request.method, headers })
    sent.once('response', (answer: IncomingMessage) => {
      response.writeHead(Number(answer.statusCode), answer.headers)
      answer.pipe(response)
    })
    request.pipe(sent)
  })
}

const FORM = '<form method=post action=/login><input name=user><input type=password name=password></form>'

/** The parts of Koa that the target uses. */
interface KoaApp {
  keys: string[]
  use(middleware: unknown): KoaApp
  callback(): RequestListener
}
interface KoaContext {
  path: string
  method: string
  body: unknown
  session: { user?: string } | null
  req: IncomingMessage
  redirect(to: string): void
}

/** Starts a Koa app on koa-session, which keeps the session in the cookie. */
export async function startKoa(t: Test): Promise<URL> {
  const require = createRequire(`${await installedPackages('stacks')}/package.json`)
  const exported = <Value>(name: string): Value => {
    const found = require(name) as { default?: Value }
    return found.default ?? (found as Value)
  }
  const Koa = exported<new () => KoaApp>('koa')
  const { default: sessions = require('koa-session'), createSession } = require('koa-session') as {
    default?: (app: KoaApp) => unknown
    createSession?: (options: object, app: KoaApp) => unknown
  }
  const app = new Koa()
  app.keys = ['a-key-of-the-koa-target']
  app.use(createSession === undefined ? (sessions as (app: KoaApp) => unknown)(app) : createSession({}, app))
  app.use(async (context: KoaContext) => {
    const { path, method, session } = context
    const isPost = method === 'POST'
    if (path === '/login' && isPost) {
      const form = await formOf(context.req)
      if (form.get('password') === 'right') context.session = { user: String(form.get('user')) }
      context.redirect('/')
    } else if (path === '/login') {
      context.body = FORM
    } else if (path === '/logout' && isPost) {
      context.session = null
      context.redirect('/')
    } else {
      context.body = `hello ${session?.user ?? 'stranger'}`
    }
  })
  return serve(t as Parameters<typeof serve>[0], app.callback())
}

/** Starts an app on iron-session, whose cookie has a name that says nothing. */
export async function startIron(t: Test): Promise<URL> {
  const { getIronSession } = await import('iron-session')
  const options = {
    cookieName: 'prefs-of-visitor',
    password: 'a password of the iron target, 32 characters and more',
    cookieOptions: { secure: false },
  }
  const answer: RequestListener = (request, response) => {
    void (async () => {
      const session = await getIronSession<{ user?: string }>(request, response, options)
      const isPost = request.method === 'POST'
      if (request.url === '/login' && isPost) {
        const form = await formOf(request)
        if (form.get('password') === 'right') session.user = String(form.get('user'))
        await session.save()
        return response.writeHead(302, { location: '/' }).end()
      }
      if (request.url === '/login') return response.end(FORM)
      if (request.url === '/logout' && isPost) {
        session.destroy()
        return response.writeHead(302, { location: '/' }).end()
      }
      response.setHeader('set-cookie', ['returnTo=%2Faccount; HttpOnly', `_fbp=${'f'.repeat(30)}; HttpOnly`])
      return response.end(`hello ${session.user ?? 'stranger'}`)
    })()
  }
  return serve(t as Parameters<typeof serve>[0], answer)
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return new URLSearchParams(body)
}
