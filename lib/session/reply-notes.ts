import type { CookieChange } from './cookie-change.ts'
import type { CookieRules, RequestState, SessionResponse } from './request-state.ts'
import { cookieOf } from './request-state.ts'

/** The notes of one request for its response: what the app looked at, and which id it has put into its reply. */
export class ReplyNotes {
  readonly #hasCookie: boolean
  #isRead = false
  #isLoggedOut = false
  #readToken: string | undefined

  /** @param hasCookie Whether a cookie of the request led to a session. */
  constructor(hasCookie: boolean) {
    this.#hasCookie = hasCookie
  }

  /** Notes that the app looked at the session. */
  markRead(): void {
    this.#isRead = true
  }

  /** Notes that this request logged the user out. */
  markLoggedOut(): void {
    this.#isLoggedOut = true
  }

  /** Returns the new id of a client that brings it in a header, once; `null` otherwise. */
  takeToken({ cookie, isByHeader }: RequestState): string | null {
    if (!isByHeader || cookie?.kind !== 'set' || cookie.value === this.#readToken) return null
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
