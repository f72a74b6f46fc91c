import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Mutant } from './mutate.ts'
import type { Fate } from './run.ts'

/** The fates of earlier runs, by file text and mutant. A change of the file forgets its mutants. */
export class Cache {
  readonly #path: string
  readonly #keys = new Map<number, string>()
  #fates: Record<string, Fate> = {}

  constructor(path: string, mutants: readonly Mutant[], texts: ReadonlyMap<string, string>, isAnew: boolean) {
    this.#path = path
    const seen = new Map<string, number>()
    for (const mutant of mutants) {
      const { id, file } = mutant
      const key = `${file} ${hash(texts.get(file) ?? '')} ${keyOf(mutant)}`
      const nth = (seen.get(key) ?? 0) + 1
      seen.set(key, nth)
      this.#keys.set(id, `${key} ${nth}`)
    }
    if (!isAnew) this.#fates = readFates(path)
  }

  get(id: number): Fate | undefined {
    return this.#fates[this.#keys.get(id) ?? '']
  }

  set(id: number, fate: Fate): void {
    this.#fates[this.#keys.get(id) ?? ''] = fate
  }

  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    writeFileSync(this.#path, JSON.stringify(this.#fates))
  }
}

/** Returns a name of the mutant that stays when lines move. */
export function keyOf({ file, around, before, after }: Mutant): string {
  return `${file} | ${around} | ${before} → ${after}`
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}

function readFates(path: string): Record<string, Fate> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, Fate>
  } catch {
    return {}
  }
}
