import type { ExpectedRequest } from './request.ts'

type Draft = Record<string, number>

/** Takes something away from the data of a request. Data that was destroyed begins anew. */
export function cut(request: ExpectedRequest, how: (data: Draft) => Draft): void {
  const { data, isDestroyed } = request
  request.uncut ??= { data: { ...data }, isDestroyed }
  if (request.isDestroyed) request.data = {}
  request.isDestroyed = false
  request.cuts.push(how)
  request.data = how(request.data)
}

/** Brings back what a change of the id took away that is given up. */
export function bringBack(request: ExpectedRequest): void {
  if (request.staged !== undefined || request.uncut === undefined) return
  Object.assign(request, request.uncut, { cuts: [], uncut: undefined })
}

/** Returns some keys of data. */
export function pick(data: Readonly<Draft>, keys: readonly string[]): Draft {
  return Object.fromEntries(keys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])))
}

/** Returns data without the token that somebody may have planted. */
export function withoutToken({ _csrf: _token, ...data }: Draft): Draft {
  return data
}
