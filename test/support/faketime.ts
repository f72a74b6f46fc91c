import { existsSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** The clock of another process, which is off by as many milliseconds as a test says (libfaketime). */
export class FakeClock {
  readonly #file: string
  #offset: number

  constructor(home: string, name: string, offset: number) {
    this.#file = join(home, `${name}.clock`)
    this.#offset = offset
    this.advance(0)
  }

  advance(milliseconds: number): void {
    this.#offset += milliseconds
    writeFileSync(this.#file, `${this.#offset < 0 ? '' : '+'}${this.#offset / 1000}`)
  }

  /** The environment of the process. Its timers keep the true pace. */
  get environment(): NodeJS.ProcessEnv {
    const library = `/usr/lib/${TRIPLETS[process.arch]}/faketime/libfaketimeMT.so.1`
    if (!existsSync(library)) {
      execFileSync(fileURLToPath(new URL('services.sh', import.meta.url)), ['faketime'], { stdio: 'inherit' })
    }
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }
}
