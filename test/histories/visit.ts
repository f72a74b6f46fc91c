import { Agent, request } from 'node:http'

/** The answer to one request. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** The session cookie that it set, as a `Cookie` header; `undefined` if it set none, or cleared it. */
  readonly cookie: string | undefined
}

/** A browser names itself. A client without a name is taken for another one sooner. */
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x64) Chrome/156.0.0.0' }

const agent = new Agent({ keepAlive: true })

/**
 * Sends a request. Resolves to `unknown` if no whole answer came, because the server was killed for instance, and to
 * `unsent` if there was no server.
 */
export async function visit(url: string, cookie?: string, body?: object): Promise<Answer | 'unknown' | 'unsent'> {
  return new Promise((resolve) => {
    const headers = {
      ...BROWSER,
      ...(cookie !== undefined && { cookie }),
      ...(body && { 'content-type': 'application/json' }),
    }
    const sent = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => resolve('unknown'))
      response.on('end', () => {
        const lines = response.headers['set-cookie'] ?? []
        const value = lines.map((line) => line.split(';', 1).join()).find((pair) => /^session=./.test(pair))
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'], cookie: value })
      })
    })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'unsent' : 'unknown'))
    sent.end(body && JSON.stringify(body))
  })
}

/** Closes the connections that wait for another request. */
export function hangUp(): void {
  agent.destroy()
}
