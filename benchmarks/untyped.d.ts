// The parts of untyped packages that the benchmarks use.

declare module 'autocannon' {
  export interface Request {
    method: 'GET' | 'POST'
    path: string
    headers?: Record<string, string>
    body?: string
    setupRequest?(request: Request, context: Record<string, string>): Request
    onResponse?(
      status: number,
      body: string,
      context: Record<string, string>,
      headers: Record<string, string | string[]>,
    ): void
  }

  export interface Client {
    setRequests(requests: Request[]): void
  }

  export interface Options {
    url: string
    connections: number
    requests: Request[]
    /** Seconds. */
    duration?: number
    /** Requests in all, in place of a duration. */
    amount?: number
    /** Milliseconds between two looks at the clock. */
    sampleInt: number
    headers: Record<string, string>
    setupClient(client: Client): void
  }

  export interface Result {
    '2xx': number
    non2xx: number
    errors: number
    timeouts: number
    resets: number
    start: Date
    finish: Date
  }

  export default function autocannon(options: Options): PromiseLike<Result>
}

declare module 'express' {
  import type { ExpressSession } from 'express-session'
  import type { IncomingMessage, Server, ServerResponse } from 'node:http'

  export interface Request extends IncomingMessage {
    body: unknown
    session: ExpressSession
  }

  export interface Response extends ServerResponse {
    status(code: number): Response
    json(body: unknown): void
  }

  export type Next = (error?: unknown) => void
  export type Handler = (request: Request, response: Response, next: Next) => void

  export interface Express {
    disable(setting: string): void
    use(handler: Handler): void
    get(path: string, ...handlers: Handler[]): void
    post(path: string, ...handlers: Handler[]): void
    listen(port: number, host: string, callback: () => void): Server
  }

  interface CreateExpress {
    (): Express
    json(): Handler
  }

  const express: CreateExpress
  export default express
}

declare module 'express-session' {
  import type { Handler } from 'express'

  export interface ExpressSession {
    regenerate(done: (error?: unknown) => void): void
    destroy(done: (error?: unknown) => void): void
    [key: string]: unknown
  }

  export default function session(options: { secret: string; resave: boolean; saveUninitialized: boolean }): Handler
}
