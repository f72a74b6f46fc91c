import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Mutant } from './mutate.ts'

/**
 * The end of a mutant. One in question has passed its first tests, and the others are still to come. Nothing ran the
 * code of an unreached mutant.
 */
export type Fate = 'killed' | 'timeout' | 'question' | 'survived' | 'unreached'

/** The facts that are known of the mutants of a file. */
interface Entry {
  /** The file and its mutants, in short. A change of either forgets the fates. */
  readonly code: string
  /** The day of the last run, such as `2026-11-28`. */
  readonly date: string
  /** A letter for each mutant, in their order: the first one of its fate, or a dot. */
  readonly fates: string
}

const FATES: ReadonlyMap<string, Fate> = new Map(
  (['killed', 'timeout', 'question', 'survived', 'unreached'] as const).map((fate) => [fate.charAt(0), fate]),
)

const UNKNOWN = '.'

/** The fates of all runs. They stay with the code, so that a run goes on where another one ended. */
export class Fates {
  readonly #path: string
  readonly #entries: Record<string, Entry>
  readonly #places = new Map<number, { readonly file: string; readonly nth: number }>()
  /** The letters of the files of this run. */
  readonly #letters = new Map<string, string[]>()

  constructor(path: string, mutants: readonly Mutant[], texts: ReadonlyMap<string, string>, isAnew: boolean) {
    this.#path = path
    this.#entries = isAnew ? {} : readEntries(path)
    for (const [file, text] of texts) {
      const own = mutants.filter((mutant) => mutant.file === file)
      for (const [nth, { id }] of own.entries()) this.#places.set(id, { file, nth })
      const code = hash([text, ...own.map(keyOf)].join('\n'))
      const known = this.#entries[file]
      const fates = known?.code === code ? known.fates : UNKNOWN.repeat(own.length)
      this.#letters.set(file, fates.split(''))
      this.#entries[file] = { code, date: known?.code === code ? known.date : today(), fates }
    }
  }

  get(id: number): Fate | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    return FATES.get(this.#letters.get(place.file)?.[place.nth] ?? UNKNOWN)
  }

  set(id: number, fate: Fate): void {
    const place = this.#places.get(id)
    if (place === undefined) return
    const letters = this.#letters.get(place.file)
    if (letters !== undefined) letters[place.nth] = fate.charAt(0)
  }

  /** Returns the day of the last run of a file. */
  dateOf(file: string): string {
    return this.#entries[file]?.date ?? ''
  }

  save(): void {
    for (const [file, letters] of this.#letters) {
      const known = this.#entries[file]
      const fates = letters.join('')
      if (known !== undefined && known.fates !== fates) this.#entries[file] = { ...known, date: today(), fates }
    }
    const sorted = Object.fromEntries(
      Object.entries(this.#entries).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    )
    mkdirSync(dirname(this.#path), { recursive: true })
    writeFileSync(this.#path, `${JSON.stringify(sorted, null, 2)}\n`)
  }
}

/** Returns a name of the mutant that stays when lines move. */
export function keyOf({ file, around, before, after }: Mutant): string {
  return `${file} | ${around} | ${before} → ${after}`
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}

function readEntries(path: string): Record<string, Entry> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, Entry>
  } catch {
    return {}
  }
}
