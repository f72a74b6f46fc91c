import type { IdTable } from '../../id-table.ts'
import type { ExpectedRequest, Staged } from './request.ts'
import { renamed } from './request.ts'
import type { Session } from './session.ts'
import { beganAt, blank, broughtBack, isAhead, isTouchDue, latestOf, SKEW, usedAt } from './session.ts'
import type { Stored, World } from './world.ts'
import { informed } from './database.ts'
import { loginOf, usersOf } from './news.ts'

const RENEWALS = { '2m': 120_000, '15m': 900_000 }

const REASONS: Readonly<Record<Staged['kind'], string>> = {
  login: 'login',
  confirm: 'confirm',
  half: 'pending',
  fingerprint: 'auth-hash',
  regenerate: 'regenerate',
  act: 'act',
  return: 'stop-acting',
}

/** The carrier of a renewed id: nothing, a stream, or an ordinary reply. */
export type Carrier = 'none' | 'stream' | 'reply'

/** Writes what waits in a request, now. */
export function write(request: ExpectedRequest, carrier: Carrier): void {
  const { own, base, now, staged, sender, called, checked, data } = request
  if (own === undefined || base === undefined) return begin(request)
  const stored = own.session
  const { latestId } = own
  const isBack = isAhead(stored, latestId, now)
  const present = isBack ? request.world.spared(broughtBack(stored, latestId, now), stored) : stored
  const isUse = !sender.isPassive || stored.lastSeenAt > now
  const known = called === undefined ? informed(present, checked) : renamed(present, called, now)
  if (staged !== undefined) return change(request, own, isUse ? usedAt(known, now) : known)
  if (called !== undefined) tellUpdate(request, own)
  const ids = shownIn(request, own, latestId)
  const isDataNew = JSON.stringify(data) !== JSON.stringify(stored.data)
  const isTaught = request.shown !== undefined && request.isTaught
  if (isBack || isTaught || isDataNew || checked.isNew || called !== undefined) {
    const taught = request.shown === undefined ? known : taughtBy(request, known)
    own.session = { ...(isUse ? usedAt(taught, now) : taught), data: { ...data } }
    own.latestId = ids?.latest ?? latestId
  } else if ((request.isTouched || isTouchDue(stored, now)) && !sender.isPassive) {
    own.session = usedAt(stored, now)
  }
  if (ids !== undefined) {
    own.ids = ids
    renew(request, ids, carrier)
  }
  request.isTaught = false
  request.checked = { isNew: false }
  request.noteWritten(own.session)
}

/** Returns the session with what the show of the id taught it. */
function taughtBy({ base, world }: ExpectedRequest, session: Session): Session {
  const isShown = session.isShown || world.rules.limit?.onLimit === 'refuse'
  return { ...session, isForked: session.isForked || base?.isForked === true, isShown }
}

/** Returns the table of ids after the show of the request. */
function shownIn(request: ExpectedRequest, own: Stored, latestId: number): IdTable | undefined {
  const { shown, now, isTied } = request
  if (shown === undefined || own.ids === undefined) return undefined
  if (request.isSteppedUp) return own.ids
  const ids = own.ids.copy()
  if (latestOf(own.session, latestId) > now + SKEW) ids.setBack(now)
  ids.noteUse(own.session.lastSeenAt)
  ids.show(shown, isTied, now)
  return ids
}

function renew(request: ExpectedRequest, ids: IdTable, carrier: Carrier): void {
  const { sender, isSteppedUp, isRenewed, world, now } = request
  if (carrier === 'none' || sender.isPassive || isSteppedUp || isRenewed) return
  const patience = RENEWALS[world.rules.renewal] * (carrier === 'stream' ? 2 : 1)
  if (!ids.isRenewable || now - ids.issuedAt < patience) return
  request.isRenewed = true
  request.cookie = 'renewed'
  if (request.own !== undefined) world.tell('renew', request.own, usersOf(request.own.session))
}

/** Writes a change of the id. */
function change(request: ExpectedRequest, own: Stored, session: Session): void {
  const staged = request.staged as Staged
  const before = { ...own }
  const next = { ...staged.apply(session), epoch: session.epoch + 1, isShown: false, data: { ...request.data } }
  own.session = ['login', 'confirm'].includes(staged.kind) ? admitted(request.world, next) : next
  own.ids = undefined
  own.latestId = request.now
  if (request.called !== undefined && !['login', 'return'].includes(staged.kind)) tellUpdate(request, own)
  tellRole(request, own, before)
  request.world.tell('rotate', own, { ...usersOf(own.session), detail: REASONS[staged.kind] })
  finish(request, own, before)
}

function tellUpdate({ world }: ExpectedRequest, own: Stored): void {
  const { user, actor } = own.session
  world.tell('user-updated', own, { userId: user?.userId ?? null, actorId: actor?.userId })
}

function tellRole({ world, staged }: ExpectedRequest, own: Stored, before: Stored): void {
  const { user, actor } = own.session
  if (staged?.kind === 'act') world.tell('act', own, { userId: user?.userId ?? null, actorId: actor?.userId })
  if (staged?.kind !== 'return') return
  world.tell('stop-acting', own, { userId: before.session.user?.userId ?? null, actorId: user?.userId })
}

/** Begins a session, if there is anything to keep. */
function begin(request: ExpectedRequest): void {
  const { staged, data, state, world, now, sender } = request
  const isLogin = staged?.kind === 'login' || staged?.kind === 'half'
  if (!isLogin && Object.keys(data).length === 0) return
  if (staged === undefined && (state === 'superseded' || state === 'outdated')) {
    world.tell('dropped-write', world.find(request.named), { detail: 'stale' })
    request.forget('superseded')
    request.cookie = 'none'
    return
  }
  const empty = blank(now, sender.look)
  const session = { ...(isLogin ? staged.apply(empty) : empty), epoch: isLogin ? 1 : 0, data: { ...data } }
  // A login with an id that is far behind ends what the id names.
  if (state === 'outdated' && request.own !== undefined) {
    if (request.own.session.user !== undefined) world.revoke(request.own, 'replay')
    world.stored.delete(request.own)
  }
  const own: Stored = { session: admitted(world, session), ids: undefined, latestId: now, undone: 0 }
  world.stored.add(own)
  request.own = own
  finish(request, own, undefined)
}

/** Returns a session that begins now, which stays although a cutoff lies ahead. */
function admitted({ cutoff }: World, session: Session): Session {
  return beganAt(session) < cutoff ? { ...session, sparedAt: cutoff } : session
}

function finish(request: ExpectedRequest, own: Stored, before: Stored | undefined): void {
  const { staged, world } = request
  const { user } = own.session
  if (staged?.kind === 'login' && user !== undefined) {
    tellLogin(request, own, before)
    world.evict(user.userId, own)
  }
  request.replaceId(own, before)
  request.noteWritten(own.session)
}

function tellLogin({ world }: ExpectedRequest, own: Stored, before: Stored | undefined): void {
  const { user, label, device } = own.session
  const kind = `${user?.userId} ${device}`
  const isNew = !world.devices.has(kind)
  world.devices.add(kind)
  const from = before === undefined ? 'none' : 'itself'
  const detail = loginOf({ isRemembered: user?.isRemembered === true, label, isNew, before: from, look: device })
  world.tell('login', own, { userId: user?.userId ?? null, detail })
}
