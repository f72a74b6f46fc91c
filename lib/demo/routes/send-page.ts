import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bank } from '../bank.ts'
import { cookieFacts } from '../cookie-facts.ts'
import type { Frame, View } from '../pages/layout.ts'
import { layout } from '../pages/layout.ts'
import type { PanelFacts } from '../pages/panel.ts'

/** How many of the latest events a page shows. */
const SHOWN_EVENTS = 6

/** A page with the panel about the session that asked for it. */
export async function sendPage(
  bank: Bank,
  request: FastifyRequest,
  reply: FastifyReply,
  view: View,
): Promise<FastifyReply> {
  return sendDocument(reply, view, {
    customer: bank.accounts.find(request.user?.id),
    facts: await panelFacts(bank, request),
  })
}

/** A page that asks nothing of the session: for when the session is what failed. */
export function sendBarePage(reply: FastifyReply, view: View): FastifyReply {
  return sendDocument(reply, view, { customer: undefined, facts: undefined })
}

/** What the last page left for this one to say; gone once read. */
export function takeNotice(request: FastifyRequest): string | undefined {
  const { bankNotice } = request.session
  delete request.session.bankNotice
  return bankNotice
}

function sendDocument(reply: FastifyReply, view: View, frame: Frame): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(layout(view, frame))
}

async function panelFacts(bank: Bank, request: FastifyRequest): Promise<PanelFacts> {
  const { session, user } = request
  const sessions = user === null ? [] : await request.server.sessions.list(user.id)
  return {
    now: bank.clock(),
    // Without data there is no record behind the handle: nothing has been stored.
    handle: user !== null || session.bankVisitedAt !== undefined ? session.sessionId : undefined,
    handleBefore: session.bankHandleBefore,
    session: sessions.find(({ handle }) => handle === session.sessionId),
    cookie: cookieFacts(bank.cookie, request.protocol),
    journal: user === null ? [] : bank.journal.latest(session.sessionId, user.id, SHOWN_EVENTS),
  }
}
