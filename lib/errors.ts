/** The stable codes of the errors that a running app can meet. */
export type SessionErrorCode =
  | 'SESSION_LOGIN_REQUIRED'
  | 'SESSION_LOGIN_TOO_OLD'
  | 'SESSION_STEP_UP_REQUIRED'
  | 'SESSION_ACTING'
  | 'SESSION_DEVICE_REQUIRED'
  | 'SESSION_PROOF_REQUIRED'
  | 'SESSION_LIMIT_REACHED'
  | 'SESSION_CROSS_ORIGIN'
  | 'SESSION_KEY_RESERVED'
  | 'SESSION_LABEL_INVALID'
  | 'SESSION_RECORD_TOO_LARGE'
  | 'SESSION_VALUE_UNSERIALIZABLE'
  | 'SESSION_USER_INVALID'
  | 'SESSION_OPTION_INVALID'
  | 'SESSION_ENDED'
  | 'SESSION_ROUTE_OPTED_OUT'
  | 'SESSION_NOT_LOADED'
  | 'SESSION_RESPONSE_STARTED'
  | 'SESSION_DECORATOR_TAKEN'
  | 'SESSION_AUTH_HASH_UNSET'
  | 'SESSION_STORE_LACKS_INDEX'
  | 'SESSION_STORE_LACKS_CUTOFF'
  | 'SESSION_STORE_LACKS_LISTING'
  | 'SESSION_CLOSED'
  | 'SESSION_STORE_UNAVAILABLE'
  | 'SESSION_USER_UNAVAILABLE'
  | 'SESSION_SUPERSEDED'

/** The status and the message of each code. */
export const ERRORS: Readonly<Record<SessionErrorCode, readonly [status: number, message: string]>> = {
  SESSION_LOGIN_REQUIRED: [401, 'Log in first.'],
  SESSION_LOGIN_TOO_OLD: [403, 'Confirm who you are first: the last login is too long ago for this.'],
  SESSION_STEP_UP_REQUIRED: [403, 'Confirm who you are first: this needs another way to log in.'],
  SESSION_ACTING: [403, 'This is refused while acting as another user. Call req.stopActing() first.'],
  SESSION_DEVICE_REQUIRED: [
    403,
    'This needs a session that is bound to its device. Log in with a browser that supports device-bound sessions.',
  ],
  SESSION_PROOF_REQUIRED: [
    401,
    'This session is bound to a device, and the request came without the proof of the device. Load the page again.',
  ],
  SESSION_LIMIT_REACHED: [403, 'This user has as many sessions as allowed. End one of them first.'],
  SESSION_CROSS_ORIGIN: [
    403,
    'Refused: the request comes from another origin. List the origin in trustedOrigins if it may.',
  ],
  SESSION_KEY_RESERVED: [400, 'This name belongs to the session object and cannot hold data. Choose another.'],
  SESSION_LABEL_INVALID: [400, 'A label has 1 to 100 characters. Control characters are refused.'],
  SESSION_RECORD_TOO_LARGE: [
    413,
    'The session data, or the user, is larger than maxRecordSize. Nothing was stored. Keep less in the session.',
  ],
  SESSION_VALUE_UNSERIALIZABLE: [
    500,
    'The session holds a value that JSON cannot carry. Nothing was stored. Store plain data.',
  ],
  SESSION_USER_INVALID: [500, 'A user is { id, ... }. The id is a non-empty string, and the rest is JSON.'],
  SESSION_OPTION_INVALID: [500, 'The app passed or assigned a value that is not accepted here.'],
  SESSION_ENDED: [500, 'This session has ended in this request. Read req.session again after a login.'],
  SESSION_ROUTE_OPTED_OUT: [500, 'This route has config: { session: false }, so it has no session.'],
  SESSION_NOT_LOADED: [
    500,
    'This hook runs before the session is loaded. Register fastify-session-guard before the plugin or hook that reads it.',
  ],
  SESSION_RESPONSE_STARTED: [
    500,
    'The response has begun, so its cookie can no longer change. Do this before the reply.',
  ],
  SESSION_DECORATOR_TAKEN: [
    500,
    "Another plugin has decorated these names. Rename the decorators of this plugin: decorators: { login: 'signIn', ... }.",
  ],
  SESSION_AUTH_HASH_UNSET: [
    500,
    'There is no authHash for this user, and a session without one would end at the next check. Set the options authHash and loadUser, or pass the value.',
  ],
  SESSION_STORE_LACKS_INDEX: [
    500,
    'The session store cannot find sessions by user. Use a store that has a user index.',
  ],
  SESSION_STORE_LACKS_CUTOFF: [
    500,
    'The session store cannot end all sessions at once, because it keeps no cutoff. Use a store of this package.',
  ],
  SESSION_STORE_LACKS_LISTING: [
    500,
    'The session store cannot list its sessions. Use a store that implements listAll and count.',
  ],
  SESSION_CLOSED: [401, 'The session that this belonged to has ended. Log in again.'],
  SESSION_STORE_UNAVAILABLE: [
    503,
    'The session store did not answer. The change may or may not have been made. Try again.',
  ],
  SESSION_USER_UNAVAILABLE: [
    503,
    'The user of this session could not be checked, because loadUser or authHash failed. Nothing was changed. Try again.',
  ],
  SESSION_SUPERSEDED: [503, 'Another request ended or changed the session meanwhile. Try again.'],
}

/** The seconds after which a client may repeat a request that met a 503. */
const RETRY_AFTER = 1

/**
 * The error class of a running app. `code` is stable. Fastify answers with `statusCode` and `headers`. `message`
 * holds no id, no secret and no session data. `cause` is the error underneath, such as that of the store's driver.
 */
export class SecureSessionError extends Error {
  override readonly name: string = 'SecureSessionError'
  readonly code: SessionErrorCode
  readonly statusCode: number
  /** The same number under the name that http-errors gives it, which the exception filter of Nest asks for. */
  readonly status: number
  /** The http-errors permission to show the message to the client: `true` below 500. */
  readonly expose: boolean
  readonly headers: Record<string, string> | undefined
  /** The key or option that the error is about, when there is one. */
  readonly detail: string | undefined

  /** Appends `detail` to the message. `detail` may name a key or an option, never a value. */
  constructor(code: SessionErrorCode, options?: ErrorOptions & { detail?: string }) {
    const [statusCode, message] = ERRORS[code]
    super(options?.detail === undefined ? message : `${message} (${options.detail})`, options)
    this.code = code
    this.detail = options?.detail
    this.statusCode = statusCode
    this.status = statusCode
    this.expose = statusCode < 500
    this.headers = statusCode === 503 ? { 'retry-after': String(RETRY_AFTER) } : undefined
  }
}
