import type { Call } from '../story.ts'
import { bringBack, cut, pick } from './cuts.ts'
import { confirm, logIn, logInHalf, updateFingerprint, updateUser } from './logins.ts'
import type { ExpectedRequest } from './request.ts'
import { act, stopActing } from './roles.ts'
import { Refused } from './refused.ts'
import { write } from './write.ts'

/** Calls that change the id, which a response that has started cannot carry. */
const CHANGES: ReadonlySet<Call['name']> = new Set([
  ...(['log in', 'log in half', 'confirm', 'update the fingerprint', 'act', 'stop acting', 'regenerate'] as const),
])

/**
 * Does what a call does to the session of a request.
 * @throws `Refused` with the code of the error
 */
export function call(request: ExpectedRequest, one: Call): void {
  try {
    perform(request, one)
  } catch (error) {
    bringBack(request)
    throw error
  }
}

function perform(request: ExpectedRequest, one: Call): void {
  if (request.sender.isLate && CHANGES.has(one.name)) throw new Refused('SESSION_RESPONSE_STARTED')
  if (CHANGES.has(one.name) || one.name === 'update the user') refuseBesideRole(request)
  switch (one.name) {
    case 'write':
    case 'remove':
      return setKey(request, one)
    case 'update':
      return update(request, one.key)
    case 'log in':
      return logIn(request, one)
    case 'log in half':
      return logInHalf(request, one)
    case 'confirm':
      return confirm(request, one)
    case 'update the fingerprint':
      return updateFingerprint(request, one)
    case 'act':
      return act(request, one)
    case 'stop acting':
      return stopActing(request)
    case 'update the user':
      return updateUser(request, one)
    case 'regenerate':
      request.staged ??= { kind: 'regenerate', apply: (session) => session }
      return cut(request, (data) => pick(data, one.keys))
    case 'log out':
      return logOut(request, one)
    case 'destroy':
      request.end()
      request.isDestroyed = true
      return
    case 'reload':
      return reload(request)
    case 'save':
      if (request.sender.isLate && request.base === undefined) throw new Refused('SESSION_RESPONSE_STARTED')
      write(request, 'none')
      request.wayBack = undefined
      return
    case 'touch':
      request.isTouched = true
  }
}

function refuseBesideRole({ staged }: ExpectedRequest): void {
  if (staged?.kind === 'act' || staged?.kind === 'return') throw new Refused('SESSION_OPTION_INVALID')
}

function setKey(request: ExpectedRequest, one: Extract<Call, { name: 'write' | 'remove' }>): void {
  if (request.isDestroyed) return
  if (request.sender.isLate && request.base === undefined) throw new Refused('SESSION_RESPONSE_STARTED')
  if (one.name === 'write') request.data[one.key] = one.value
  else delete request.data[one.key]
}

function update(request: ExpectedRequest, key: string): void {
  if (request.isDestroyed) return
  const { staged, own, base, state, data } = request
  if (request.sender.isLate && base === undefined) throw new Refused('SESSION_RESPONSE_STARTED')
  if (staged === undefined && (state === 'superseded' || state === 'outdated')) throw new Refused('SESSION_SUPERSEDED')
  data[key] = (data[key] ?? 0) + 1
  if (staged !== undefined || own === undefined || base === undefined) return
  own.session = { ...own.session, data: { ...data } }
  request.base = { ...base, data: { ...data } }
}

function logOut(request: ExpectedRequest, { where }: Extract<Call, { name: 'log out' }>): void {
  const userId = request.draft.user?.userId
  if (where !== 'here' && userId !== undefined) request.world.endUser(userId, request.own)
  if (where === 'elsewhere') return
  request.end()
  if (where === 'everywhere' && userId !== undefined) request.world.endUser(userId, undefined)
}

function reload(request: ExpectedRequest): void {
  const { base, cuts } = request
  request.isDestroyed = false
  if (request.uncut !== undefined) request.uncut = { data: { ...base?.data }, isDestroyed: false }
  request.data = cuts.reduce((data, how) => how(data), { ...base?.data })
}
