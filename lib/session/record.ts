import { parse } from 'secure-json-parse'
import type { DeviceFacts, KeptLifetimes, RivalId, SessionRecord, UsedMethod } from '../../types/index.ts'
import type { Lifetimes } from '../options.ts'
import { beginAt } from './lifetime.ts'
import { readName } from './namespace.ts'

const NO_RIVALS: readonly RivalId[] = Object.freeze([])

/** The user of a session, from the moment of a login. */
export interface Identity {
  readonly userId: string
  /** The user's snapshot as JSON. */
  readonly user: string
  readonly authHash: string | null
  readonly authCheckedAt: number
  readonly remember: boolean
  readonly device: DeviceFacts | null
  /** The lifetimes that functions of the user gave; absent without such functions. */
  readonly lifetimes?: KeptLifetimes | null | undefined
  /** The ways in which the user proved who they are; absent if the app names none. */
  readonly methods?: readonly UsedMethod[] | undefined
  readonly label?: string | null
}

/** A record in which every field that a new session does not choose has its first value. */
const BLANK: SessionRecord = Object.freeze({
  handle: '',
  secretHash: '',
  version: 1,
  epoch: 0,
  userId: null,
  user: null,
  authHash: null,
  authCheckedAt: 0,
  createdAt: 0,
  authenticatedAt: null,
  lastSeenAt: 0,
  idleDeadline: 0,
  absoluteDeadline: 0,
  rotatedAt: 0,
  generation: 0,
  parent: '',
  shownAt: 0,
  isTied: true,
  tip: null,
  rivals: NO_RIVALS,
  headAt: 0,
  isForked: false,
  remember: false,
  device: null,
  heldBack: null,
  family: '',
  deviceKey: null,
  data: '{}',
})

/** The record of a session that begins now with nobody logged in. */
export function newRecord(
  handle: string,
  secretHash: string,
  data: string,
  now: number,
  lifetimes: Lifetimes,
  family = '',
  epoch = 0,
): SessionRecord {
  const { lastSeenAt, idleDeadline, absoluteDeadline } = beginAt(now, false, lifetimes)
  return {
    ...BLANK,
    handle,
    secretHash,
    epoch,
    createdAt: now,
    lastSeenAt,
    idleDeadline,
    absoluteDeadline,
    rotatedAt: now,
    headAt: now,
    family,
    data,
  }
}

/** Returns the record with a new secret that replaces all others: the old id dies in the same write, without grace. */
export function rotated(record: SessionRecord, secretHash: string, now: number): SessionRecord {
  return {
    ...record,
    secretHash,
    epoch: record.epoch + 1,
    rotatedAt: now,
    generation: 0,
    parent: '',
    shownAt: 0,
    isTied: true,
    tip: null,
    rivals: NO_RIVALS,
    headAt: now,
  }
}

/** The record after somebody proved who they are: both lifetimes begin again. */
export function authenticated(
  record: SessionRecord,
  identity: Identity,
  now: number,
  lifetimes: Lifetimes,
): SessionRecord {
  const { userId, user, authHash, authCheckedAt, remember, device, label } = identity
  const { lastSeenAt, idleDeadline, absoluteDeadline } = beginAt(now, remember, identity.lifetimes ?? lifetimes)
  // Members that are added after a spread cost ten times as much as members that the spread has copied.
  const next: { -readonly [Field in keyof SessionRecord]: SessionRecord[Field] } = {
    ...record,
    userId,
    user,
    authHash,
    authCheckedAt,
    remember,
    device,
    authenticatedAt: now,
    isForked: false,
    lastSeenAt,
    idleDeadline,
    absoluteDeadline,
  }
  if (label !== undefined) next.label = label
  // Another login may have left its own.
  if (hasEither(record, identity, 'lifetimes')) next.lifetimes = identity.lifetimes ?? null
  if (hasEither(record, identity, 'methods')) next.methods = identity.methods ?? []
  if (record.pending !== undefined) next.pending = null
  return next
}

function hasEither(record: SessionRecord, identity: Identity, field: 'lifetimes' | 'methods'): boolean {
  return record[field] !== undefined || identity[field] !== undefined
}

/** The shape of each field as JSON carries it. */
const FIELDS: Record<keyof SessionRecord, (value: unknown) => boolean> = {
  label: (value) => value === undefined || isStringOrNull(value),
  sparedAt: (value) => value === undefined || isNumber(value),
  handle: isString,
  secretHash: isString,
  version: isCount,
  epoch: isCount,
  userId: isStringOrNull,
  user: isStringOrNull,
  authHash: isStringOrNull,
  authCheckedAt: isNumber,
  userAt: (value) => value === undefined || isNumber(value),
  createdAt: isNumber,
  authenticatedAt: (value) => value === null || isNumber(value),
  lastSeenAt: isNumber,
  rotatedAt: isNumber,
  idleDeadline: isNumber,
  absoluteDeadline: isNumber,
  generation: isCount,
  parent: isString,
  shownAt: isNumber,
  isTied: isBoolean,
  tip: (value) => value === null || isRenewedId(value),
  rivals: (value) => isListOf(value, isRival),
  headAt: isNumber,
  isForked: isBoolean,
  heldBack: isStringOrNull,
  family: isString,
  remember: isBoolean,
  device: (value) => value === null || isDevice(value),
  deviceKey: isStringOrNull,
  methods: (value) => value === undefined || isListOf(value, isUsedMethod),
  pending: (value) => value === undefined || value === null || isPending(value),
  lifetimes: (value) => value === undefined || value === null || isLifetimes(value),
  data: (value) => isString(value) && parseObject(value) !== undefined,
}

const SHAPES = Object.entries(FIELDS)

/** Records that were examined, or made here. A store in memory hands out the same object again and again. */
const valid = new WeakSet<object>()

/** Notes that this process made a record, so that `isRecord` need not examine it. */
export function trust(record: SessionRecord): void {
  valid.add(record)
}

/** Tells whether a store's answer is a whole record. Each object is examined once. */
export function isRecord(value: unknown): value is SessionRecord {
  if (!isObject(value)) return false
  if (valid.has(value)) return true
  const isWhole = isWholeRecord(value)
  if (isWhole) valid.add(value)
  return isWhole
}

/**
 * Tells whether every field has its type, data and user parse, and a user comes with their id, or with its stored name.
 */
function isWholeRecord(value: Record<string, unknown>): boolean {
  if (!SHAPES.every(([name, isShape]) => isShape(value[name]))) return false
  // The line before has just checked the types of all fields.
  const { userId, user, authenticatedAt } = value as unknown as SessionRecord
  if (userId === null || user === null) return userId === user && authenticatedAt === null
  const id = parseObject(user)?.['id']
  return authenticatedAt !== null && (id === userId || id === readName(userId).userId)
}

/** The object behind a JSON text; `undefined` for anything else, and for one that reaches for a prototype. */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parse(json, undefined, { protoAction: 'error', constructorAction: 'error' })
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isStringOrNull(value: unknown): boolean {
  return value === null || isString(value)
}

function isNumber(value: unknown): boolean {
  return Number.isFinite(value)
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value)
}

function isRenewedId(value: unknown): boolean {
  return (
    isObject(value) &&
    isString(value['secretHash']) &&
    isNumber(value['issuedAt']) &&
    isNumber(value['shownAt']) &&
    isBoolean(value['isTied'])
  )
}

function isRival(value: unknown): boolean {
  return isObject(value) && isString(value['secretHash']) && isNumber(value['since']) && isBoolean(value['isTied'])
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne)
}

function isUsedMethod(value: unknown): boolean {
  return isObject(value) && isString(value['name']) && isNumber(value['at'])
}

function isPending(value: unknown): boolean {
  return (
    isObject(value) &&
    isString(value['userId']) &&
    isString(value['user']) &&
    parseObject(value['user'])?.['id'] === value['userId'] &&
    isStringOrNull(value['authHash']) &&
    isListOf(value['methods'], isUsedMethod) &&
    isNumber(value['until'])
  )
}

function isLifetimes(value: unknown): boolean {
  return (
    isObject(value) &&
    isNumber(value['idleTimeout']) &&
    isNumber(value['absoluteTimeout']) &&
    isNumber(value['rememberTimeout'])
  )
}

function isDevice(value: unknown): boolean {
  return isObject(value) && isString(value['userAgent']) && isString(value['ip'])
}
