import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Jar } from './jar.ts'
import { plainEnvironment } from './run.ts'

interface Test {
  teardown(end: () => unknown): unknown
}

/** A program that listens, as the test sees it. */
interface Running {
  /** The address that the program printed. */
  readonly url: string
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<void>
}

/** Starts a program with Node and waits for the address that it prints. The teardown stops the program. */
export async function startExample(
  t: Test,
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    cwd: folder,
    env: { ...plainEnvironment(), NODE_ENV: 'development', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  t.teardown(stop)
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`
    const url = /https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/.exec(line)?.[0]
    if (url !== undefined) return { url, stop }
  }
  await ended
  throw new Error(`${args.join(' ')} ended without listening\n${output}`)
}

/** A browser that only keeps cookies: one jar, and no redirect followed. */
export class HttpVisitor {
  readonly #base: string
  readonly #jar = new Jar()

  constructor(base: string) {
    this.#base = base
  }

  get cookie(): string {
    return this.#jar.header(Date.now())
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(path, { headers })
  }

  post(path: string, body: object | URLSearchParams = {}, headers: Record<string, string> = {}): Promise<Response> {
    if (body instanceof URLSearchParams) return this.#send(path, { method: 'POST', body, headers })
    const json = { 'content-type': 'application/json', ...headers }
    return this.#send(path, { method: 'POST', body: JSON.stringify(body), headers: json })
  }

  delete(path: string): Promise<Response> {
    return this.#send(path, { method: 'DELETE', headers: {} })
  }

  async #send(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const headers = this.cookie === '' ? init.headers : Object.assign({ cookie: this.cookie }, init.headers)
    const response = await fetch(new URL(path, this.#base), { redirect: 'manual', ...init, headers })
    this.#jar.take(response.headers.getSetCookie(), Date.now())
    return response
  }
}
