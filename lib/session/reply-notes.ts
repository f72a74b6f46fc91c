import type { CookieChange } from './cookie-change.ts'
import type { Client } from './engine.ts'
import type { CookieRules, RequestState, SessionResponse } from './request-state.ts'
import { cookieOf } from './request-state.ts'

/**
 * The notes of one request about its response. They say what the app read, which id the app put into its reply, and
 * whether the response has started.
 */
export class ReplyNotes {
  readonly #client: Client
  readonly #hasCookie: boolean
  #isAnswered: boolean
  #isWatched = false
  #isTakenWatched = false
  #isRead = false
  #isLoggedOut = false
  #readToken: string | undefined

  /** @param hasCookie Whether a cookie of the request led to a session. */
  constructor(client: Client, hasCookie: boolean, isAnswered: boolean) {
    this.#client = client
    this.#hasCookie = hasCookie
    this.#isAnswered = isAnswered
  }

  /** Tells whether the response has started, or is not Fastify's to send, so that the cookie can no longer change. */
  get isAnswered(): boolean {
    return this.#isAnswered || this.#client.isReplyTaken === true
  }

  /** Notes that the response has started. Returns whether it had started before. */
  markAnswered(): boolean {
    const isRepeated = this.#isAnswered
    this.#isAnswered = true
    return isRepeated
  }

  /** Calls a listener once the response is over, or soon if it is over already. One listener is enough until then. */
  whenOver(listener: () => void): void {
    if (this.#isWatched) return
    this.#isWatched = true
    const hear = (): void => {
      this.#isWatched = false
      listener()
    }
    if (this.#client.afterReply === undefined) setImmediate(hear)
    else this.#client.afterReply(hear)
  }

  /** Calls a listener once the response is over, if the app took the reply over or wrote it by hand. */
  whenTaken(listener: () => void): void {
    if (this.#isTakenWatched) return
    this.#isTakenWatched = true
    this.#client.afterReply?.(() => {
      if (!this.#isAnswered && this.#client.isReplyTaken === true) listener()
    })
  }

  /** Notes that the app looked at the session. */
  markRead(): void {
    this.#isRead = true
  }

  /** Notes that this request logged the user out. */
  markLoggedOut(): void {
    this.#isLoggedOut = true
  }

  /** Returns the new id of a client that brings it in a header, once, until a header carries it; `null` otherwise. */
  takeToken({ cookie, isByHeader }: RequestState): string | null {
    if (this.#isAnswered || !isByHeader || cookie?.kind !== 'set' || cookie.value === this.#readToken) return null
    this.#readToken = cookie.value
    return cookie.value
  }

  /** Returns the message of the response about the session. */
  responseOf(state: RequestState, rules: CookieRules): SessionResponse {
    const change = cookieOf(state, rules)
    const isRead = this.#isRead
    const isLoggedOut = this.#isLoggedOut
    const isTokenRead = this.#readToken !== undefined
    if (!state.isByHeader) return { cookie: change, renewedId: undefined, isRead, isLoggedOut, isTokenRead }
    // An empty id tells the client that its id opens nothing any more.
    const id = change?.kind === 'set' ? change.value : change && ''
    // The cookie that the request came with opens nothing any more.
    const cookie: CookieChange | undefined = this.#hasCookie ? { kind: 'clear' } : undefined
    return { cookie, renewedId: id === this.#readToken ? undefined : id, isRead, isLoggedOut, isTokenRead }
  }
}
