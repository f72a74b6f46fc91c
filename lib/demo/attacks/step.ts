/** Something that happens outside HTTP. */
export interface Note {
  readonly kind: 'note'
  readonly words: string
}

/** One request and its answer, ready to be shown. Ids are shortened. */
export interface Exchange {
  readonly kind: 'exchange'
  /** The action of the sender, in words; the sender is the subject. */
  readonly words: string
  readonly request: string
  readonly answer: string
  readonly status: number
  /** The target of a redirect; `undefined` for any other answer. */
  readonly location: string | undefined
  /** The main heading of the page. `undefined` where the answer is not a page. */
  readonly heading: string | undefined
  /** The short name of the secret that was sent. */
  readonly fingerprint: string | undefined
  /** The page itself, for a script to look at. */
  readonly page: string
  /** The header that offers to bind the session to a device; `undefined` without an offer. */
  readonly offer: string | undefined
  /** The header that asks for a proof of the device's key; `undefined` where no proof is asked for. */
  readonly challenge: string | undefined
}

export type Step = Note | Exchange
