/** One request as it reaches a server. */
export interface Asked {
  readonly kind: 'page' | 'login' | 'logout' | 'password'
  /** The user whom a login is for. */
  readonly userId: string
  readonly remember: boolean
  /** The header as the client made it; empty for no header. */
  readonly cookie: string
  readonly userAgent: string
  /** The index of the server that is asked. */
  readonly server: number
}

/** The answer of a server. */
export interface Answer {
  /** The user as whom the request was answered; `null` for nobody. */
  readonly userId: string | null
  /** `Set-Cookie` lines. */
  readonly setCookies: readonly string[]
}

/** A request whose handler waits: a long poll, or an event stream before its first event. */
export interface Held {
  /** The answer's headers, where they left at once. */
  readonly early: Answer | undefined
  /** Lets the handler go on. Resolves to the answer. */
  readonly finish: () => Answer | Promise<Answer>
}

/** The servers of one deployment, over one store. */
export interface Servers {
  ask(asked: Asked): Answer | Promise<Answer>
  hold(asked: Asked, kind: 'poll' | 'stream'): Held | Promise<Held>
  /** Sets the record of this cookie back to what it was so many milliseconds ago. */
  setBack(cookie: string, age: number): void | Promise<void>
  /** The number of sessions that ended as copied. */
  readonly copied: number
  readonly renewals: number
  readonly requests: number
  close(): Promise<void>
}

/** The settings of a deployment. */
export interface Deployment {
  readonly now: () => number
  /** The offset of each server's clock from the true time, in milliseconds. */
  readonly skews: readonly number[]
  /** Tells whether records are set back, so that earlier ones have to be kept. */
  readonly isSetBack?: boolean
  /** Called for each session that ends as copied, with the user's id. */
  readonly onCopied?: (userId: string | null) => void
}

export type MakeServers = (deployment: Deployment) => Servers | Promise<Servers>
