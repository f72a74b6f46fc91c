/** The ways in which a body that is read piece by piece can be ended. Fastify itself looks for the same ones. */
interface Endable {
  readonly body?: unknown
  readonly locked?: boolean
  on?(event: 'error', listener: () => void): unknown
  cancel?(): Promise<void>
  destroy?(): unknown
  close?(done: () => void): unknown
  abort?(): unknown
}

/**
 * Ends a payload that will not be sent. A stream that nobody reads keeps its file, its connection or its upstream
 * request open until the process ends. Errors while the payload ends are ignored.
 */
export function endPayload(payload: unknown): void {
  if (typeof payload !== 'object' || payload === null || Buffer.isBuffer(payload)) return
  const { body } = payload as Endable
  const stream = (typeof body === 'object' && body !== null ? body : payload) as Endable
  // A file that could not be opened says so later, and would end the process where nobody listens.
  stream.on?.('error', ignore)
  if (stream.cancel !== undefined) {
    // A locked stream belongs to whoever reads it.
    if (stream.locked !== true) stream.cancel().catch(ignore)
  } else if (stream.destroy !== undefined) stream.destroy()
  else if (stream.close !== undefined) stream.close(ignore)
  else stream.abort?.()
}

function ignore(): void {
  // Nobody is left to be told.
}
