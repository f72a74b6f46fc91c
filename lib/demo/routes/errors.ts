import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SecureSessionError } from '../../index.ts'
import type { Bank } from '../bank.ts'
import { confirmPage } from '../pages/confirm.ts'
import { loginPage } from '../pages/login.ts'
import { problemPage } from '../pages/problem.ts'
import { customerOf } from './customer.ts'
import { loginAddress } from './login.ts'
import { sendBarePage, sendPage } from './send-page.ts'

/** The headers of every response, pages of errors included. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // With `no-referrer`, browsers would send `Origin: null` with the bank's own forms.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  // The Back button must not show an account again after a logout.
  'cache-control': 'no-store',
}

const UNPROVEN = 'This browser gave no proof of the key that your session is bound to. Load the page again, or log in.'

/** Answers every error with a page. */
export function errorPages(app: FastifyInstance, bank: Bank): void {
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(bank, error, request, reply))
}

/** Answers an unknown address with a page. */
export function notFoundPage(app: FastifyInstance, bank: Bank): void {
  app.setNotFoundHandler((request, reply) => sendPage(bank, request, reply.code(404), problemPage(404)))
}

async function answerError(
  bank: Bank,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  switch (error.code) {
    case 'SESSION_LOGIN_REQUIRED':
      return reply.redirect(loginAddress(bank, request), 303)
    case 'SESSION_LOGIN_TOO_OLD':
      return sendPage(bank, request, reply.code(403), confirmPage(customerOf(bank, request)))
    case 'SESSION_PROOF_REQUIRED':
      return sendBarePage(reply.code(401), loginPage({ name: '', remember: false, error: UNPROVEN, next: '' }))
    default: {
      const status = error.statusCode ?? 500
      if (error instanceof SecureSessionError && error.headers !== undefined) reply.headers(error.headers)
      if (status >= 500) request.log.error({ err: error }, 'a request failed')
      return sendBarePage(reply.code(status), problemPage(status))
    }
  }
}

/** Answers a request whose address cannot be decoded. No hook ran for it, so it has no session. */
export function answerUnroutable(_error: unknown, _request: unknown, reply: FastifyReply): void {
  sendBarePage(reply.headers(PAGE_HEADERS).code(400), problemPage(400))
}
