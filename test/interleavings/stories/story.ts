/** The users of a story. */
export const USERS = ['alice', 'bob'] as const
export type User = (typeof USERS)[number]

/** The number of browsers of a story. */
export const BROWSERS = 3

/** The ways to log in of a story. */
export type Method = 'pwd' | 'otp'

/** The lifetimes of a session, in milliseconds. */
export interface Times {
  readonly idle: number
  readonly absolute: number
  readonly remembered: number
}

/** The settings of the app of a story. */
export interface Rules {
  /** The lifetimes that a function of the user gives, if there is one. */
  readonly times: Readonly<Record<User, Times>> | undefined
  /** The number of sessions of a user. */
  readonly limit:
    | { readonly count: number; readonly onLimit: 'evict' | 'refuse'; readonly isByUser: boolean }
    | undefined
  /** The age at which the user and the credentials are asked for again. Nobody is asked for if absent. */
  readonly asks: '0s' | '10m' | undefined
  readonly renewal: '2m' | '15m'
  readonly copied: 'end' | 'step-up'
  /** Tells whether clients may bring their ids in a header. */
  readonly hasHeader: boolean
  /** Tells whether the process keeps copies of records. */
  readonly isCached: boolean
  /** Tells whether sessions may be bound to devices. */
  readonly isBindable: boolean
}

/** One call in a handler. A call that is refused does not end the handler. */
export type Call =
  | { readonly name: 'write'; readonly key: string; readonly value: number }
  | { readonly name: 'remove'; readonly key: string }
  | { readonly name: 'update'; readonly key: string }
  | {
      readonly name: 'log in'
      readonly user: User
      readonly remember: boolean
      readonly keep: boolean | readonly string[] | undefined
      readonly methods: readonly Method[]
      readonly label: string | undefined
      /** Tells whether the client brings the new id in a header. */
      readonly isByHeader: boolean
      /** The fingerprint that the app gives, in place of the one in the database. */
      readonly given: string | undefined
    }
  | {
      readonly name: 'log in half'
      readonly user: User
      readonly methods: readonly Method[]
      /** An option that belongs to the second step. */
      readonly wrong: 'remember' | 'keep' | 'label' | undefined
    }
  | { readonly name: 'update the fingerprint'; readonly given: string | undefined }
  | { readonly name: 'confirm'; readonly methods: readonly Method[]; readonly label: string | undefined }
  | { readonly name: 'act'; readonly user: User; readonly minutes: number }
  | { readonly name: 'update the user'; readonly user: User; readonly called: string }
  | { readonly name: 'regenerate'; readonly keys: readonly string[] }
  | { readonly name: 'log out'; readonly where: 'here' | 'everywhere' | 'elsewhere' }
  | {
      readonly name: 'stop acting' | 'destroy' | 'reload' | 'save' | 'touch'
    }

/**
 * The end of a request: the browser gets the response, the handler throws after its calls, a hook fails after the
 * session was written, or the response is lost on its way.
 */
export type Ending = 'answered' | 'thrown' | 'failed' | 'lost'

/** One request of a browser. */
export interface Request {
  readonly name: 'request'
  readonly browser: number
  /** The id that is shown: that of the browser, or another one that somebody was given, by its number. */
  readonly shows: 'own' | number
  readonly calls: readonly Call[]
  readonly ending: Ending
  /** Tells whether the client does not look like a browser of the story. */
  readonly isStranger: boolean
  readonly isPassive: boolean
  /** Tells whether the route never asks for users. */
  readonly isStaleFine: boolean
  /** Tells whether the response starts before the handler runs. */
  readonly isLate: boolean
  readonly carrier: 'reply' | 'stream'
}

/** One step of a story. Sessions are named by their number, in the order in which they began. */
export type Step =
  | Request
  | { readonly name: 'wait'; readonly time: number }
  | { readonly name: 'set the clock back'; readonly time: number }
  | { readonly name: 'revoke'; readonly session: number; readonly user: User }
  | { readonly name: 'revoke the user'; readonly user: User; readonly except: number | undefined }
  | { readonly name: 'revoke all'; readonly ago: number | undefined; readonly except: number | undefined }
  | { readonly name: 'update everywhere'; readonly user: User; readonly called: string }
  | { readonly name: 'rename'; readonly session: number; readonly user: User; readonly label: string | null }
  | { readonly name: 'update from outside'; readonly session: number; readonly key: string }
  | { readonly name: 'change the password' | 'delete the user' | 'restore the user'; readonly user: User }
  | { readonly name: 'restart the process' }
  | { readonly name: 'change the name'; readonly user: User; readonly called: string }

/** A step of the app itself. */
export type OutsideStep = Exclude<Step, { readonly name: 'request' | 'wait' | 'set the clock back' }>

/** The steps of some browsers of an app, one after the other. */
export interface Story {
  readonly rules: Rules
  readonly steps: readonly Step[]
}
