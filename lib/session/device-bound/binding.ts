import { randomBytes } from 'node:crypto'

/**
 * The key of a device that a session is bound to, as the record keeps it in one bounded text.
 *
 * Layout, in this order: the version; 1 if the browser has shown the bound cookie, else 0; the id of the binding. Then
 * x and y of the public key, the seed of the open challenge and the seed of the previous challenge. Last, the prints of
 * the proofs over the previous challenge.
 */
const SHAPE = /^1\.[01]\.[\w-]{22}\.[\w-]{43}\.[\w-]{43}\.[\w-]{22}\.(?:[\w-]{22})?\.(?:[\w-]{8}){0,128}$/

/** The number of proofs over one replaced challenge that are accepted: parallel refreshes, each with its own proof. */
export const MAX_PROOFS = 128

/** The length of the beginning of a signature by which a proof is known again: 6 bytes. */
export const PRINT_LENGTH = 8

const SHOWN_AT = 2
const ID_AT = 4
const ID_LENGTH = 22

/** The coordinates of a public key on P-256, in base64url. */
export interface PublicKey {
  readonly x: string
  readonly y: string
}

/** A binding, taken apart. */
export interface Binding {
  /** The name of the binding: random, and the session identifier of the protocol. */
  readonly id: string
  /** Tells whether the browser has shown that it keeps the bound cookie. Until then the binding demands nothing. */
  readonly isShown: boolean
  readonly key: PublicKey
  /** The seed of the open challenge. */
  readonly seed: string
  /** The seed of the challenge before the open one; empty for none. */
  readonly previousSeed: string
  /** The prints of the proofs over the challenge before. Each proof counts once. */
  readonly prints: readonly string[]
}

/** Tells whether a value is a binding as a record keeps it. */
export function isBinding(value: unknown): value is string {
  return typeof value === 'string' && SHAPE.test(value)
}

/** Makes a binding to a key, with a new id and a new challenge. */
export function newBinding(key: PublicKey): Binding {
  return { id: newSeed(), isShown: false, key, seed: newSeed(), previousSeed: '', prints: [] }
}

/** Takes a binding apart. */
export function readBinding(text: string): Binding {
  const [, mark, id = '', x = '', y = '', seed = '', previousSeed = '', prints = ''] = text.split('.')
  const all = Array.from({ length: prints.length / PRINT_LENGTH }, (_, index) =>
    prints.slice(index * PRINT_LENGTH, (index + 1) * PRINT_LENGTH),
  )
  return { id, isShown: mark === '1', key: { x, y }, seed, previousSeed, prints: all }
}

/** Returns the text that a record keeps. */
export function writeBinding({ id, isShown, key, seed, previousSeed, prints }: Binding): string {
  return ['1', isShown ? '1' : '0', id, key.x, key.y, seed, previousSeed, prints.join('')].join('.')
}

/** Returns the id of a binding, without taking the rest apart. */
export function bindingIdOf(text: string): string {
  return text.slice(ID_AT, ID_AT + ID_LENGTH)
}

/** Tells whether the browser has shown the bound cookie, so that the binding is enforced. */
export function isBindingShown(text: string): boolean {
  return text[SHOWN_AT] === '1'
}

/** Returns the text of a binding whose browser has shown the bound cookie. */
export function withBindingShown(text: string): string {
  return `${text.slice(0, SHOWN_AT)}1${text.slice(SHOWN_AT + 1)}`
}

/**
 * Returns the binding after an accepted proof; `replayed` if the proof counted before, and `stale` if no more proofs
 * over its challenge are remembered. A proof over the open challenge opens a new one. A proof over the challenge before
 * leaves the open one, because a parallel refresh has opened it.
 */
export function afterProof(
  binding: Binding,
  challenge: 'open' | 'previous',
  print: string,
): Binding | 'replayed' | 'stale' {
  if (challenge === 'open') {
    return { ...binding, isShown: true, seed: newSeed(), previousSeed: binding.seed, prints: [print] }
  }
  const { prints } = binding
  if (prints.includes(print)) return 'replayed'
  if (prints.length >= MAX_PROOFS) return 'stale'
  return { ...binding, isShown: true, prints: [...prints, print] }
}

function newSeed(): string {
  return randomBytes(16).toString('base64url')
}
