import { isIP } from 'node:net'
import type { MistakenStore } from './mistaken-store.ts'
import { mistakenStore } from './mistaken-store.ts'
import type { SessionStore, UserIndex } from '../../../types/index.ts'

/** The facts that a store states for the guard. All are optional: a missing fact is a kept promise. */
export interface StoreDescription {
  /** Records live in this process's memory and end with it. */
  readonly volatile?: boolean
  /** Promises of the core interface that the store cannot keep, in words. */
  readonly weaker?: readonly string[]
  /** The addresses that the store connects to, when they can be seen. */
  readonly connections?: readonly StoreConnection[]
  /** The path of the file that records are in. */
  readonly location?: string
  /** The time of the store's server, in milliseconds since 1970. Asked once, before the app listens. */
  readonly now?: () => Promise<number>
  /**
   * The policy by which a server drops records before they expire; `null` when it never does. Asked once, before the
   * app listens.
   */
  readonly evictionPolicy?: () => Promise<string | null>
}

/** One connection of a store. */
export interface StoreConnection {
  /** Host name, address, or the path of a unix socket. */
  readonly host: string
  readonly encrypted: boolean
  /** `false` when the certificate of the server is not checked. */
  readonly verified?: boolean
}

/** The facts about a store that the guard sees without a call. */
export interface StoreFacts {
  /** `faulty`: not a store at all, which another rule says. */
  readonly kind: 'default' | 'given' | 'faulty'
  readonly isVolatile: boolean
  readonly missing: readonly string[]
  /** Another thing that is no store; `undefined` when nothing is missing, or when nobody knows what it is. */
  readonly mistaken: MistakenStore | undefined
  readonly hasUserIndex: boolean
  /** Tells whether one write can end all sessions. */
  readonly hasCutoff: boolean
  /** Tells whether all records can be listed and counted. */
  readonly canListAll: boolean
  readonly weaker: readonly string[]
  /** Hosts that records travel to unencrypted. */
  readonly plaintextHosts: readonly string[]
  /** Hosts that could be anybody: the connection is encrypted, and no certificate is checked. */
  readonly unverifiedHosts: readonly string[]
  /** Tells whether expired records stay until somebody calls `sweep`. */
  readonly needsSweep: boolean
  /** The path of the file that records are in, where the store says so. */
  readonly location: string | null
}

const CORE = ['get', 'create', 'update', 'touch', 'delete'] as const satisfies readonly (keyof SessionStore)[]

const INDEX = [
  'addToIndex',
  'keepInIndex',
  'removeFromIndex',
  'listIndex',
] as const satisfies readonly (keyof UserIndex)[]

const MAX_SHOWN = 8

const DEFAULT_STORE: StoreFacts = {
  kind: 'default',
  isVolatile: true,
  missing: [],
  mistaken: undefined,
  hasUserIndex: true,
  hasCutoff: true,
  canListAll: true,
  weaker: [],
  plaintextHosts: [],
  unverifiedHosts: [],
  needsSweep: false,
  location: null,
}

/** Looks at the methods and at what the store declares; a getter that throws is a method that is not there. */
export function storeFactsOf(store: unknown, isFaulty: boolean): StoreFacts {
  if (isFaulty) return { ...DEFAULT_STORE, kind: 'faulty' }
  if (store === undefined) return DEFAULT_STORE
  const missing = CORE.filter((method) => !hasMethod(store, method))
  const isVolatile = member(store, 'volatile') === true || isNamedMemory(store)
  const location = member(store, 'location')
  return {
    kind: 'given',
    isVolatile,
    missing,
    mistaken: missing.length > 0 ? mistakenStore((method) => hasMethod(store, method)) : undefined,
    hasUserIndex: INDEX.every((method) => hasMethod(store, method)),
    hasCutoff: ['raiseCutoff', 'readCutoff'].every((method) => hasMethod(store, method)),
    canListAll: ['listAll', 'count'].every((method) => hasMethod(store, method)),
    weaker: wordsOf(member(store, 'weaker')),
    plaintextHosts: hostsOf(member(store, 'connections'), 'encrypted'),
    unverifiedHosts: hostsOf(member(store, 'connections'), 'verified'),
    needsSweep: !isVolatile && hasMethod(store, 'sweep'),
    location: typeof location === 'string' && location !== '' ? location.slice(0, MAX_PATH) : null,
  }
}

/** A memory store of somebody else's, which does not know how to say so. */
function isNamedMemory(store: unknown): boolean {
  const name = member(member(store, 'constructor'), 'name')
  return typeof name === 'string' && /^(Volatile)?Memory(Session)?(Store)?$/.test(name)
}

function hasMethod(store: unknown, name: string): boolean {
  return typeof member(store, name) === 'function'
}

function member(source: unknown, name: string): unknown {
  try {
    return (source as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function listOf(value: unknown): unknown[] {
  try {
    return Array.isArray(value) ? value.slice(0, MAX_SHOWN) : []
  } catch {
    return []
  }
}

function wordsOf(value: unknown): string[] {
  return listOf(value).flatMap((words) => (typeof words === 'string' ? [words.slice(0, 120)] : []))
}

const MAX_PATH = 1024

/** Hosts beyond this machine whose connections lack a quality. */
function hostsOf(value: unknown, quality: 'encrypted' | 'verified'): string[] {
  return listOf(value).flatMap((connection) => {
    const host = member(connection, 'host')
    const isOpen = typeof host === 'string' && member(connection, quality) === false && !staysHere(host)
    return isOpen ? [host.slice(0, 120)] : []
  })
}

/** Loopback addresses and unix sockets: nobody else hears what goes there. */
export function staysHere(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (bare.startsWith('/') || bare === 'localhost' || bare.endsWith('.localhost')) return true
  return isIP(bare) === 4 ? bare.startsWith('127.') : bare === '::1'
}
