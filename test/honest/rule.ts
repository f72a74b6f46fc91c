/** The values that are signed into an id of the model. */
export interface ModelId {
  readonly epoch: number
  readonly generation: number
  readonly issuedAt: number
  readonly nonce: string
  /** The nonce of the id that it was issued to. */
  readonly parent: string
}

interface Line {
  readonly nonce: string
  readonly parent: string
  readonly generation: number
  readonly issuedAt: number
  readonly firstAt: number
  /** Tells whether the id was first shown without the tie-breaker. */
  readonly isAlone: boolean
}

/** The part of a record of the model that the rule uses. */
export interface Holding {
  /** The confirmed id. */
  readonly base: Line
  /** A child of the base that was shown and is not confirmed. */
  readonly tip: Line | undefined
  /** Ids that are, or were, shown beside the head, since when, and whether they come without the tie-breaker. */
  readonly passed: readonly { readonly nonce: string; readonly at: number; readonly isAlone: boolean }[]
  /** The instant at which the base or the tip was last shown. */
  readonly headAt: number
}

export interface Rule {
  readonly renewal: number
  /** A first show and a second one this much later confirm an id. */
  readonly confirm: number
  /** The time after the first show of an id in which its parent may come late. */
  readonly late: number
  /** The same without the tie-breaker. */
  readonly lateAlone: number
  /** The greatest age of a sibling that takes the place of a tip, without the tie-breaker. */
  readonly sibling: number
  /** The time after its last show for which the head counts as in use. */
  readonly recent: number
  readonly predecessor: 'fork' | 'end'
  readonly older: 'fork' | 'refuse' | 'end'
}

export type Verdict =
  | { readonly kind: 'serve' | 'renew' | 'fork'; readonly next: Holding; readonly state: string }
  | { readonly kind: 'end' | 'refuse'; readonly state: string }

const MAX_PASSED = 4

/** Judges an id of the record's epoch. `isTied`: the client has what the login left with it beside the id. */
export function judge(held: Holding, id: ModelId, isTied: boolean, now: number, rule: Rule): Verdict {
  const { base, tip } = held
  const late = isTied ? rule.late : rule.lateAlone
  const rival = rivalOf(held, id)
  if (rival !== undefined) {
    const end = rival.at + (rival.isAlone ? rule.lateAlone : late)
    if (now < end) return { kind: 'serve', next: held, state: 'rival-late' }
    if (held.headAt >= end) return { kind: 'end', state: 'second-holder' }
    return lead(held, id, rival, isTied, now, rule, 'rival-wins')
  }
  if (id.nonce === base.nonce) {
    if (tip === undefined) return renewed(seen(held, now), now, rule, 'base')
    if (isTied) return contend(held, id.nonce, now, isTied, 'base-contends')
    if (now < tip.firstAt + late) return { kind: 'serve', next: held, state: 'base-late' }
    return { kind: 'end', state: 'base-alone' }
  }
  if (id.nonce === tip?.nonce) {
    if (now < tip.firstAt + rule.confirm) return { kind: 'serve', next: seen(held, now), state: 'tip' }
    return renewed({ ...seen(held, now), base: tip, tip: undefined }, now, rule, 'confirm')
  }
  if (id.parent === base.nonce) {
    const next = { ...seen(held, now), tip: lineOf(id, now, !isTied) }
    if (tip === undefined) return { kind: 'serve', next, state: 'first' }
    if (!isTied && now - id.issuedAt > rule.sibling) return { kind: 'end', state: 'sibling-old' }
    return contend(held, id.nonce, now, isTied, 'sibling-contends')
  }
  if (id.generation > base.generation) {
    const next = { ...seen(held, now), base: lineOf(id, now, !isTied), tip: undefined }
    return { kind: 'serve', next, state: 'heal' }
  }
  const isSibling = id.generation === base.generation && id.parent === base.parent
  const isPredecessor = id.nonce === base.parent
  if (isPredecessor && now < base.firstAt + late) return { kind: 'serve', next: held, state: 'predecessor-late' }
  if (!isTied) return { kind: 'end', state: isSibling ? 'retired-alone' : 'older-alone' }
  if (isSibling) return contend(held, id.nonce, now, isTied, 'retired-contends')
  if (isPredecessor) {
    if (rule.predecessor === 'end') return { kind: 'end', state: 'predecessor' }
    return contend(held, id.nonce, now, isTied, 'predecessor-contends')
  }
  if (rule.older === 'end' || now < held.headAt + rule.recent) return { kind: 'end', state: 'older' }
  if (rule.older === 'refuse') return { kind: 'refuse', state: 'older-refused' }
  return contend(held, id.nonce, now, isTied, 'older-contends')
}

/**
 * Returns the entry of an id that was shown beside the head, or of the line it stems from. An ancestor of the head
 * names no line.
 */
function rivalOf({ base, passed }: Holding, { nonce, parent }: ModelId): Holding['passed'][number] | undefined {
  const isOwn = nonce === base.nonce || nonce === base.parent || parent === base.parent || parent === base.nonce
  return (
    passed.find((each) => each.nonce === nonce) ?? (isOwn ? undefined : passed.find((each) => each.nonce === parent))
  )
}

/**
 * Puts a second line beside the head. Both are served for a while; the one that is shown first after it is the head.
 */
function contend(held: Holding, nonce: string, now: number, isTied: boolean, state: string): Verdict {
  // One of two that comes without what the other one has: hardly the same client, so today's grace is enough.
  const isAlone = !isTied || (held.tip ?? held.base).isAlone
  return { kind: 'fork', next: { ...held, passed: pass(held.passed, nonce, now, isAlone) }, state }
}

/** Makes the rival the head. The former head is the second holder if it comes again. */
function lead(
  held: Holding,
  id: ModelId,
  { at, isAlone }: { at: number; isAlone: boolean },
  isTied: boolean,
  now: number,
  rule: Rule,
  state: string,
): Verdict {
  const { base, tip } = held
  const rest = held.passed.filter(({ nonce }) => nonce !== id.nonce)
  const line = lineOf(id, now, !isTied)
  if (id.nonce === base.nonce) {
    const passed = tip === undefined ? rest : pass(rest, tip.nonce, at, isAlone)
    return renewed({ base, tip: undefined, passed, headAt: now }, now, rule, state)
  }
  const passed = pass(rest, (tip ?? base).nonce, at, isAlone)
  if (id.parent === base.nonce) return { kind: 'serve', next: { base, tip: line, passed, headAt: now }, state }
  return renewed(
    { base: line, tip: undefined, passed: pass(passed, base.nonce, at, isAlone), headAt: now },
    now,
    rule,
    state,
  )
}

function renewed(next: Holding, now: number, rule: Rule, state: string): Verdict {
  return { kind: now - next.base.issuedAt >= rule.renewal ? 'renew' : 'serve', next, state }
}

function seen(held: Holding, now: number): Holding {
  return { ...held, headAt: now }
}

function lineOf({ nonce, parent, generation, issuedAt }: ModelId, firstAt: number, isAlone: boolean): Line {
  return { nonce, parent, generation, issuedAt, firstAt, isAlone }
}

function pass(passed: Holding['passed'], nonce: string, at: number, isAlone: boolean): Holding['passed'] {
  return [...passed.filter((each) => each.nonce !== nonce), { nonce, at, isAlone }].slice(-MAX_PASSED)
}
