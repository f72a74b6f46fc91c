import { createHmac } from 'node:crypto'
import type { DeviceBound } from '../../options.ts'
import { Recent } from '../../storage/recent.ts'
import type { Binding } from './binding.ts'
import { isSameHash, isSameText } from '../id.ts'
import { MAX_SKEW } from '../../storage/clocks.ts'

/** `<instant>.<MAC>`: the instant in seconds, base 36; the MAC in base64url. */
const SHAPE = /^([0-9a-z]{1,9})\.([\w-]{43})$/

/** The time after a login in which a browser may register a key, in milliseconds. */
const REGISTRATION = 120_000

/** The greatest difference between the end of the bound cookie in the browser and its end on the server. */
const MAX_MARGIN = 90_000

/** The time in which a failure of one session is told once, in milliseconds. */
const QUIET = 60_000

/** The number of failures that are remembered, and as many again. */
const MAX_REMEMBERED = 1_000

/** The reason why a request of a bound session came without a valid bound cookie. */
export type Lack = 'missing' | 'expired' | 'forged'

/** A bound cookie that a connection has shown. */
interface Known {
  readonly value: string
  readonly handle: string
  readonly bindingId: string
  readonly expiresAt: number
}

/**
 * Makes and checks what a browser gets in the protocol of device-bound sessions: the bound cookie, and challenges. Each
 * is an instant with a MAC that covers its purpose, so none is valid in place of another. Nothing of it is stored.
 */
export class DeviceProofs {
  /** The name of the bound cookie. */
  readonly cookieName: string
  readonly settings: DeviceBound
  readonly #keys: readonly Buffer[]
  readonly #last = new WeakMap<object, Known>()
  readonly #told = new Recent<number>(MAX_REMEMBERED)

  /** The first secret makes, all of them verify. */
  constructor(settings: DeviceBound, secrets: readonly string[], sessionCookie: string) {
    this.settings = settings
    this.cookieName = `${sessionCookie}-bound`
    this.#keys = secrets.map((secret) =>
      createHmac('sha256', secret).update(`fastify-session-guard device of ${sessionCookie}`).digest(),
    )
  }

  /**
   * The lifetime of the bound cookie in the browser, in seconds. The server accepts the cookie for up to 90 seconds
   * longer. Otherwise a slow request, or a server whose clock is ahead, could refuse a cookie that the browser still
   * keeps.
   */
  get maxAge(): number {
    const { lifetime } = this.settings
    return Math.floor((lifetime - Math.min(MAX_MARGIN, lifetime / 4)) / 1000)
  }

  /** Makes the value of a bound cookie. */
  mintCookie(handle: string, bindingId: string, now: number): string {
    const end = secondsOf(now + this.settings.lifetime)
    return this.#make(['cookie', handle, bindingId], end)
  }

  /**
   * Judges the bound cookie of a request. The lifetime of the options counts from the instant at which the cookie was
   * made. A value that came over the same `connection` before is not hashed again.
   */
  judgeCookie(value: string, handle: string, bindingId: string, now: number, connection?: object): 'valid' | Lack {
    if (value === '') return 'missing'
    const last = connection && this.#last.get(connection)
    const isKnown = last?.handle === handle && last.bindingId === bindingId && isSameText(last.value, value)
    const expiresAt = isKnown ? last.expiresAt : this.#read(['cookie', handle, bindingId], value)
    if (expiresAt === undefined) return 'forged'
    // A lifetime that was shortened holds for cookies from before too. An end too far ahead is that of a skewed clock.
    if (now >= expiresAt || expiresAt > now + this.settings.lifetime + MAX_SKEW) return 'expired'
    if (!isKnown && connection !== undefined) this.#last.set(connection, { value, handle, bindingId, expiresAt })
    return 'valid'
  }

  /** Makes the challenge that a login offers for a registration. */
  offer(handle: string, epoch: number, now: number): string {
    return this.#make(['registration', handle, String(epoch)], secondsOf(now))
  }

  /** Tells whether a text is the challenge that a login of this epoch offered, in time. */
  isOffer(text: string, handle: string, epoch: number, now: number): boolean {
    return isRecent(this.#read(['registration', handle, String(epoch)], text), now, REGISTRATION)
  }

  /** Makes a challenge for the next proof. The first proof over a challenge of a seed ends all others of the seed. */
  challenge(handle: string, { id, seed }: Binding, now: number): string {
    return this.#make(['refresh', handle, id, seed], secondsOf(now))
  }

  /** Tells which challenge of a binding a text is; `undefined` for none, or for one that is too old. */
  matchChallenge(
    text: string,
    handle: string,
    { id, seed, previousSeed }: Binding,
    now: number,
  ): 'open' | 'previous' | undefined {
    const limit = 2 * this.settings.lifetime + MAX_SKEW
    if (isRecent(this.#read(['refresh', handle, id, seed], text), now, limit)) return 'open'
    if (previousSeed === '') return undefined
    return isRecent(this.#read(['refresh', handle, id, previousSeed], text), now, limit) ? 'previous' : undefined
  }

  /** Tells whether a failure of a session is told, because the same was not told during the last minute. */
  isNews(handle: string, reason: string, now: number): boolean {
    const key = `${handle} ${reason}`
    const age = now - (this.#told.get(key) ?? -Infinity)
    // A clock that was set back must not keep a failure quiet.
    if (age >= 0 && age < QUIET) return false
    this.#told.set(key, now)
    return true
  }

  #make(purpose: readonly string[], seconds: string): string {
    // The guard lets no empty list of secrets pass.
    return `${seconds}.${macOf(this.#keys[0] as Buffer, purpose, seconds)}`
  }

  /** Returns the instant in a text that this app made for this purpose. */
  #read(purpose: readonly string[], text: string): number | undefined {
    const [, seconds = '', mac = ''] = SHAPE.exec(text) ?? []
    const isOurs = this.#keys.some((key) => isSameHash(macOf(key, purpose, seconds), mac))
    return isOurs ? Number.parseInt(seconds, 36) * 1000 : undefined
  }
}

function macOf(key: Buffer, purpose: readonly string[], seconds: string): string {
  return createHmac('sha256', key)
    .update(`${purpose.join(' ')} ${seconds}`)
    .digest('base64url')
}

function secondsOf(at: number): string {
  return Math.max(Math.floor(at / 1000), 0).toString(36)
}

/** Tells whether an instant lies less than `limit` back. Another server's clock may be ahead. */
function isRecent(at: number | undefined, now: number, limit: number): boolean {
  return at !== undefined && now - at < limit && at - now < MAX_SKEW
}
