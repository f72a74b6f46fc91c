import { hasSameCredentials, isCheckDue } from '../session/credentials.ts'
import type { Engine } from '../session/engine.ts'
import { readLiveRecord } from '../session/live-record.ts'
import type { SessionRecord } from '../../types/index.ts'

/** The longest time that a socket outlives a session that ended in another process or through new credentials. */
const CHECK_INTERVAL = 10_000

/** The time that a client may take to close its end. One that ignores the request would go on for as long as it likes. */
const CLOSE_TIMEOUT = 2_000

/** 1008, a policy violation (RFC 6455, 7.4.1): the client may connect again once it has a session. */
const POLICY_VIOLATION = 1008

/** The reason that a client is told: with `changed` the user is still logged in, and may connect again at once. */
type Reason = 'session ended' | 'session changed'

/** The part of a `ws` socket that is needed to end it. */
export interface Socket {
  close(code: number, reason: string): void
  terminate(): void
  removeAllListeners(event: 'message'): unknown
  on(event: 'newListener', listener: (event: string | symbol) => void): unknown
  once(event: 'close', listener: () => void): unknown
}

/** A socket, and whose it was when it opened. */
interface Member {
  readonly socket: Socket
  readonly userId: string | null
  readonly epoch: number
}

/** The open sockets of one session. */
interface Watched {
  readonly members: Set<Member>
  timer: NodeJS.Timeout | undefined
  /** Until when the session lives, as far as is known. */
  deadline: number
  /** The instant of the last comparison of the user's credentials in this process. */
  checkedAt: number
}

/**
 * Closes sockets whose session has ended. What this process does to a record is told by `settle`; for all else the record is read
 * again at its deadline, and every ten seconds before it.
 */
export class SocketWatch {
  readonly #engine: Engine
  readonly #sessions = new Map<string, Watched>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Watches a socket that was opened with this record, which may have gone since it was loaded. */
  open(socket: Socket, { handle, userId, epoch, idleDeadline, authCheckedAt }: SessionRecord): void {
    const member: Member = { socket, userId, epoch }
    const watched: Watched = this.#sessions.get(handle) ?? {
      members: new Set(),
      timer: undefined,
      deadline: idleDeadline,
      checkedAt: authCheckedAt,
    }
    this.#sessions.set(handle, watched)
    watched.members.add(member)
    socket.once('close', () => {
      watched.members.delete(member)
      if (watched.members.size > 0) return
      clearTimeout(watched.timer)
      this.#sessions.delete(handle)
    })
    void this.#check(handle, watched)
  }

  /** Closes what the record, if there still is one, no longer vouches for. */
  settle(handle: string, record: SessionRecord | undefined): void {
    for (const member of this.#sessions.get(handle)?.members ?? []) {
      closeUnlessValid(member, record)
    }
  }

  async #check(handle: string, watched: Watched): Promise<void> {
    // A socket that opens while the store is being asked is not judged by an answer that is older than itself.
    const members = [...watched.members]
    try {
      const record = await this.#read(handle, watched)
      for (const member of members) closeUnlessValid(member, record)
      watched.deadline = record?.idleDeadline ?? 0
    } catch {
      // The store said so in an event. Its last word holds, but not beyond the deadline that it gave.
      if (watched.deadline <= this.#engine.settings.clock()) this.settle(handle, undefined)
    }
    if (watched.members.size > 0) this.#checkLater(handle, watched)
  }

  #checkLater(handle: string, watched: Watched): void {
    const wait = Math.min(Math.max(watched.deadline - this.#engine.settings.clock(), 1), CHECK_INTERVAL)
    clearTimeout(watched.timer)
    watched.timer = setTimeout(() => {
      watched.timer = undefined
      void this.#check(handle, watched)
    }, wait).unref()
  }

  /** The record, if it lives and its user's credentials are still those of the login. */
  async #read(handle: string, watched: Watched): Promise<SessionRecord | undefined> {
    const record = await readLiveRecord(this.#engine, handle)
    if (record === undefined) return undefined
    const authCheckedAt = Math.max(record.authCheckedAt, watched.checkedAt)
    const looked = { ...record, authCheckedAt }
    if (!isCheckDue(this.#engine, looked)) return record
    watched.checkedAt = this.#engine.settings.clock()
    if (await hasSameCredentials(this.#engine, looked)) return record
    await this.#engine.users.revoke(handle, looked.userId, 'auth-hash')
    return undefined
  }
}

/**
 * Closes a socket unless the record has the user and the epoch that the socket was opened with. A copied id opens a socket like
 * the owner's, and nothing tells the two apart. So a new login or a changed password closes both: the owner, who has the new id,
 * connects again, and the copy cannot.
 */
function closeUnlessValid({ socket, userId, epoch }: Member, record: SessionRecord | undefined): void {
  if (record === undefined || record.userId !== userId) close(socket, 'session ended')
  else if (record.epoch !== epoch) close(socket, 'session changed')
}

/** From here on nothing that the client sends is heard, whether it closes its end or not. */
function close(socket: Socket, reason: Reason): void {
  const deafen = (): unknown => socket.removeAllListeners('message')
  deafen()
  // A handler that waits for something before it listens.
  socket.on('newListener', (event) => {
    if (event === 'message') queueMicrotask(deafen)
  })
  socket.close(POLICY_VIOLATION, reason)
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT).unref()
  socket.once('close', () => clearTimeout(timer))
}
