import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answers } from './server.ts'

const running = new Set<ServerProcess>()

/** A server in a process of its own. `Ready` is what it says once it listens. */
export class ServerProcess<Ready extends { port: number } = { port: number }> {
  readonly ready: Ready
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child
    this.ready = ready
  }

  /** Starts a module of this folder, named without extension. */
  static async start<Ready extends { port: number }>(
    module: string,
    args: string[] = [],
    nodeOptions: string[] = [],
  ): Promise<ServerProcess<Ready>> {
    // Compiled or not, the siblings of this file are of its own kind.
    const path = fileURLToPath(new URL(`./${module}${extname(import.meta.url)}`, import.meta.url))
    const child = fork(path, args, {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: [...process.execArgv, ...nodeOptions],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const server = new ServerProcess(child, await answerOf<Ready>(child, `${module} ${args.join(' ')}`))
    running.add(server)
    return server
  }

  async ask<Question extends keyof Answers>(question: Question): Promise<Answers[Question]> {
    this.#child.send(question)
    return answerOf<Answers[Question]>(this.#child, question)
  }

  async stop(): Promise<void> {
    running.delete(this)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill()
    await exit
  }
}

/** Stops every server that still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()))
}

async function answerOf<Answer>(child: ChildProcess, what: string): Promise<Answer> {
  // This output is shown only on a failure, because a peer may warn about what a benchmark does on purpose.
  let said = ''
  const listen = (text: Buffer): void => void (said += text.toString())
  child.stderr?.on('data', listen)
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`${what}: the server ended with code ${code}\n${said}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      child.stderr?.off('data', listen)
      child.stderr?.resume()
      resolve(message as Answer)
    })
  })
}
