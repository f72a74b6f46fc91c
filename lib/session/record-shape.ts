import { parse } from 'secure-json-parse'
import type { SessionRecord } from '../../types/index.ts'
import { isBinding } from './device-bound/binding.ts'

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
  deviceKey: (value) => value === null || isBinding(value),
  methods: (value) => value === undefined || isListOf(value, isUsedMethod),
  pending: (value) => value === undefined || value === null || isPending(value),
  acting: (value) => value === undefined || value === null || isActor(value),
  lifetimes: (value) => value === undefined || value === null || isLifetimes(value),
  data: (value) => isString(value) && parseObject(value) !== undefined,
}

const SHAPES = Object.entries(FIELDS)

/** Tells whether an object has every field of a record, each with its type. */
export function hasFields(value: unknown): value is SessionRecord {
  return isObject(value) && SHAPES.every(([name, isShape]) => isShape(value[name]))
}

/** Tells whether a record has fields that a later version of this package wrote. */
export function hasUnknownFields(record: SessionRecord): boolean {
  return Object.keys(record).some((name) => !Object.hasOwn(FIELDS, name))
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

/** Tells whether a value is an object with names of its own. */
export function isObject(value: unknown): value is Record<string, unknown> {
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
  return isOtherUser(value) && isNumber(value['until'])
}

/** Tells whether a value is a user beside the one of the record. */
function isOtherUser(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    isString(value['userId']) &&
    isString(value['user']) &&
    parseObject(value['user'])?.['id'] === value['userId'] &&
    isStringOrNull(value['authHash']) &&
    isListOf(value['methods'], isUsedMethod)
  )
}

function isActor(value: unknown): boolean {
  return (
    isOtherUser(value) &&
    ['authCheckedAt', 'userAt', 'absoluteDeadline', 'since'].every((name) => isNumber(value[name])) &&
    isBoolean(value['remember']) &&
    isString(value['reason']) &&
    (value['lifetimes'] === null || isLifetimes(value['lifetimes'])) &&
    isString(value['data']) &&
    parseObject(value['data']) !== undefined
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
