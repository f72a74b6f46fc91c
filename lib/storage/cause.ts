/** A message longer than this is cut: a driver may have put a whole command into it. */
const MAX_MESSAGE = 500

/** The length up to which a name and a code are kept. */
const MAX_NAME = 60

/** Redis repeats the arguments of a command that it does not know, the record among them. */
const REPEATED_ARGUMENTS = /,? with args beginning with:.*$/s

/** The number of errors of an `AggregateError` that are named: one for each address that was tried. */
const MAX_NAMED = 4

/** The key of the words that this package put before a driver's message. */
const ADVICE = Symbol('advice')

/** Puts words of this package before the message of a driver's error, and keeps them for `adviceOf`. */
export function advise(cause: Error, advice: string, speaker: string): void {
  cause.message = `${advice}. ${speaker} says: ${cause.message}`
  Object.defineProperty(cause, ADVICE, { value: advice })
}

/** Returns the words of this package about an error; `undefined` when there are none. */
export function adviceOf(cause: unknown): string | undefined {
  return (cause as { [ADVICE]?: string } | null | undefined)?.[ADVICE]
}

/**
 * The error of a driver without everything that the driver hung on it. ioredis keeps the command with all arguments,
 * `pg` the values of a row; both end in logs. Returns an error that has the name, the code and the message, bounded,
 * and nothing else.
 */
export function causeOf(thrown: unknown): Error {
  const { name, code } = fieldsOf(thrown)
  const cause = new Error(messageOf(thrown))
  const advice = adviceOf(thrown)
  if (advice !== undefined) Object.defineProperty(cause, ADVICE, { value: advice })
  if (typeof name === 'string' && name !== 'Error') {
    // The name is not enumerable, as in every error, because each printed error would show the name twice otherwise.
    Object.defineProperty(cause, 'name', { value: name.slice(0, MAX_NAME), configurable: true, writable: true })
  }
  if (typeof code === 'number') Object.assign(cause, { code })
  if (typeof code === 'string') Object.assign(cause, { code: code.slice(0, MAX_NAME) })
  return cause
}

/** The errors of several attempts to connect have no message of their own: theirs is made of the attempts'. */
function messageOf(thrown: unknown): string {
  const { message, code, errors } = fieldsOf(thrown)
  if (typeof message === 'string' && message !== '') {
    return message.replace(REPEATED_ARGUMENTS, '').slice(0, MAX_MESSAGE)
  }
  if (Array.isArray(errors) && errors.length > 0) {
    // One level deep, because an error may contain itself.
    const named = errors.slice(0, MAX_NAMED).map((error) => messageOf({ ...fieldsOf(error), errors: undefined }))
    return [...new Set(named)].join('; ')
  }
  if (typeof thrown === 'string' && thrown !== '') return thrown.slice(0, MAX_MESSAGE)
  return typeof code === 'string' && code !== '' ? code.slice(0, MAX_NAME) : 'unknown error'
}

function fieldsOf(thrown: unknown): Record<'name' | 'code' | 'message' | 'errors', unknown> {
  const none = { name: undefined, code: undefined, message: undefined, errors: undefined }
  if (typeof thrown !== 'object' || thrown === null) return none
  const { name, code, message, errors } = thrown as Partial<typeof none>
  return { name: name === 'Error' ? thrown.constructor?.name : name, code, message, errors }
}
