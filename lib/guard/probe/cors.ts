import { randomBytes } from 'node:crypto'
import { ask } from './routing.ts'
import type { CorsAnswer } from '../read/phase-facts.ts'
import type { AnswerHeaders, Probe, RoutingApp } from './routing.ts'

/** One context of an app: the root, or what `register` made below it. */
export interface ProbedContext {
  readonly prefix: string
  hasPlugin(name: string): boolean
}

const MAX_PLACES = 8

/**
 * Origins that nobody should let in: a name that cannot exist (RFC 2606), and `null`, which every sandboxed frame has.
 */
export function strangeOrigins(): readonly string[] {
  return [`https://${randomBytes(8).toString('hex')}.invalid`, 'null']
}

/** Returns the answer of CORS to an origin, from the headers of a response. */
export function corsAnswerOf(probeOrigin: string, header: (name: string) => string | null): CorsAnswer {
  return {
    probeOrigin,
    allowOrigin: header('access-control-allow-origin'),
    allowCredentials: header('access-control-allow-credentials') === 'true',
  }
}

/** Asks wherever a CORS plugin is there to answer, as pages on origins that nobody should let in would. */
export async function probeCors(
  app: ProbedContext & RoutingApp,
  contexts: readonly ProbedContext[],
): Promise<CorsAnswer[]> {
  const origins = strangeOrigins()
  const questions = placesOf(app, contexts).flatMap((place) => origins.map((origin) => ({ place, origin })))
  const answers = await Promise.all(
    questions.map(async ({ place, origin }) => answerOf(origin, await ask(app, askingFrom(origin, place)))),
  )
  return answers.flat()
}

/**
 * Returns the places to probe. Below the root, the hooks of a context run on its own routes only. CORS brings one route
 * for preflights.
 */
function placesOf(app: ProbedContext, contexts: readonly ProbedContext[]): Pick<Probe, 'method' | 'prefix'>[] {
  if (isCorsIn(app)) return [{ method: 'GET', prefix: '' }]
  const prefixes = new Set(contexts.filter(isCorsIn).map(({ prefix }) => prefix))
  return [...prefixes].slice(0, MAX_PLACES).map((prefix) => ({ method: 'OPTIONS', prefix }))
}

function isCorsIn(context: ProbedContext): boolean {
  return context.hasPlugin('@fastify/cors')
}

function askingFrom(origin: string, place: Pick<Probe, 'method' | 'prefix'>): Probe {
  return {
    ...place,
    headers: { origin, ...(place.method === 'GET' ? {} : { 'access-control-request-method': 'POST' }) },
  }
}

function answerOf(probeOrigin: string, headers: AnswerHeaders | null): CorsAnswer[] {
  return headers === null ? [] : [corsAnswerOf(probeOrigin, (name) => headers.get(name) ?? null)]
}
