import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { showToProbe } from '../guard/probe/routing.ts'
import type { AnswerFacts } from '../guard/read/phase-facts.ts'
import type { Settings } from '../options.ts'
import { RequestSession } from '../session/request-session.ts'
import { hiddenIdOf } from './hidden-id.ts'
import type { SessionRequest } from './request-slot.ts'
import { SLOT } from './request-slot.ts'

/** The number of answers that are examined. The first answers may all be health checks. */
const MAX_OBSERVED = 1000

const MAX_NAMES = 50

/** Returns the `onRequest` hook that shows the guard what the responses to the first requests tell of the app. */
export function watchAnswers(
  { clock, headerTransport }: Pick<Settings, 'clock' | 'headerTransport'>,
  report: (facts: AnswerFacts) => void,
): onRequestHookHandler {
  let count = 0
  return (request, reply, done) => {
    if (!showToProbe(request) && count < MAX_OBSERVED) {
      count += 1
      const startedAt = timeOf(clock)
      reply.raw.once('finish', () => {
        const hiddenId = hiddenIdOf(request, reply, headerTransport?.header)
        const facts = { ...answerFactsOf(request, reply, startedAt), hiddenId }
        if (isTelling(facts)) report(facts)
      })
    }
    done()
  }
}

/** The time; `NaN` from a clock that fails, because a request without a session has no use for the clock. */
function timeOf(clock: () => number): number {
  try {
    return clock()
  } catch {
    return Number.NaN
  }
}

/**
 * Tells whether an answer is worth judging. Most answers say nothing, and judging an answer takes longer than many
 * requests.
 */
function isTelling(facts: AnswerFacts): boolean {
  const { isSafeMethod, isLogin, isLogout, insecureCookies, allowedOrigin, hiddenId } = facts
  const isChange = isSafeMethod && (isLogin || isLogout)
  return isChange || insecureCookies.length > 0 || allowedOrigin !== null || hiddenId !== null
}

function answerFactsOf(request: FastifyRequest, reply: FastifyReply, startedAt: number): Omit<AnswerFacts, 'hiddenId'> {
  const { url = '/' } = request.routeOptions
  const slot = (request as SessionRequest)[SLOT]
  const session = slot instanceof RequestSession ? slot : undefined
  const loggedInAt = session?.facts.authenticatedAt?.getTime() ?? -Infinity
  return {
    route: `${request.method} ${url}`,
    isSafeMethod: request.method === 'GET' || request.method === 'HEAD',
    parameters: Object.keys(request.query ?? {}).slice(0, MAX_NAMES),
    isLogin: loggedInAt >= startedAt,
    isLogout: session?.response.isLoggedOut === true,
    insecureCookies: insecureCookiesOf(reply),
    allowedOrigin: allowedOriginOf(request, reply),
  }
}

function insecureCookiesOf(reply: FastifyReply): string[] {
  const lines = [reply.getHeader('set-cookie') ?? []].flat().slice(0, MAX_NAMES).map(String)
  return lines.filter((line) => !/;\s*secure\s*(;|$)/i.test(line)).map((line) => line.split('=', 1)[0] as string)
}

function allowedOriginOf({ headers }: FastifyRequest, reply: FastifyReply): string | null {
  const { origin } = headers
  const isAllowed =
    reply.getHeader('access-control-allow-origin') === origin &&
    String(reply.getHeader('access-control-allow-credentials')) === 'true'
  return isAllowed && origin !== undefined ? origin.slice(0, 1024) : null
}
