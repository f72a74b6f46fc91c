import { spawn } from 'node:child_process'

/** The exit code and the output of a finished process. */
export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Settings of `run`. */
interface RunOptions {
  cwd: string
  /** Added to the environment; `undefined` takes a variable out. */
  env?: Record<string, string | undefined>
  /** Tells whether an exit code other than 0 rejects. Default `true`. */
  check?: boolean
  /** Milliseconds after which the process is killed. Default two minutes. */
  timeout?: number
}

/**
 * Runs a program to its end, as a user would from a shell. The program gets none of the loaders and variables that the
 * test runner and npm hand to their children.
 */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { cwd, env, check = true, timeout = 120_000 } = options
  return new Promise((resolve, reject) => {
    // tap puts its NODE_OPTIONS back into whatever environment `spawn` is given; `env` takes them out behind its back.
    const child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], {
      cwd,
      env: { ...plainEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 || (!check && code !== null)) return resolve({ code, ...output })
      const ended = signal === null ? `exit code ${code}` : `signal ${signal}`
      reject(new Error(`${command} ${args.join(' ')}: ${ended}\n${output.stdout}${output.stderr}`))
    })
  })
}

/** Returns the environment of this process without what the test runner and npm added. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(NODE_OPTIONS|NODE_ENV|NODE_V8_COVERAGE|FORCE_COLOR|TAP|TAP_.*|_TAPJS_.*|TS_NODE_.*|npm_.*|INIT_CWD)$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}
