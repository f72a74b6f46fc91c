import type { FastifyReply, FastifyRequest, onSendAsyncHookHandler } from 'fastify'
import type { Bank } from '../bank.ts'
import { cookieFacts } from '../cookie-facts.ts'
import type { SeenSession } from '../ended-sessions.ts'
import { fingerprintOf } from '../fingerprint.ts'
import type { JournalEntry } from '../journal.ts'
import type { Frame, View } from '../pages/layout.ts'
import { layout, PANEL_MARK } from '../pages/layout.ts'
import type { EndedFacts, PanelFacts, SecretFacts } from '../pages/panel.ts'
import { panel } from '../pages/panel.ts'
import { field } from './form.ts'

/** The number of latest events that a page shows. */
const SHOWN_EVENTS = 6

/** The session that the panel of a page is about. */
interface Subject {
  /** `undefined` when the visitor has no record. */
  readonly handle: string | undefined
  readonly userId: string | undefined
}

const subjects = new WeakMap<FastifyRequest, Subject>()

/** Sends a page with the panel about the session that asked for it. */
export function sendPage(bank: Bank, request: FastifyRequest, reply: FastifyReply, view: View): FastifyReply {
  const { session, user } = request
  // Without data there is no record behind the handle, because nothing was stored.
  const hasRecord = user !== null || session.bankVisitedAt !== undefined
  subjects.set(request, { handle: hasRecord ? session.sessionId : undefined, userId: user?.id })
  return sendDocument(reply, view, { customer: bank.accounts.find(user?.id), hasPanel: true })
}

/** Sends a page that asks nothing of the session, for use when the session is what failed. */
export function sendBarePage(reply: FastifyReply, view: View): FastifyReply {
  return sendDocument(reply, view, { customer: undefined, hasPanel: false })
}

/** Returns the message that the last page left for this page, and removes it. */
export function takeNotice(request: FastifyRequest): string | undefined {
  const { bankNotice } = request.session
  delete request.session.bankNotice
  return bankNotice
}

/** Returns the session cookie that the browser sent. Empty without one. */
export function presentedCookie(bank: Bank, request: FastifyRequest): string {
  return request.cookies[String(bank.cookie.name)] ?? ''
}

/**
 * Fills in the panel, and notes the id that the response carries. The plugin writes its cookie after the page is made,
 * so the panel can show a new secret only here.
 */
export function fillPanel(bank: Bank): onSendAsyncHookHandler {
  return async (request, reply, payload) => {
    const issued = issuedCookie(bank, reply)
    if (issued !== undefined) bank.issued.note(issued, bank.clock())
    const subject = subjects.get(request)
    if (subject === undefined || typeof payload !== 'string') return payload
    const facts = await panelFacts(bank, request, subject, issued)
    return payload.replace(PANEL_MARK, () => panel(facts).toString())
  }
}

function sendDocument(reply: FastifyReply, view: View, frame: Frame): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(layout(view, frame))
}

/** Returns the id in the response's `Set-Cookie`. `undefined` when the response sets none, or clears it. */
function issuedCookie(bank: Bank, reply: FastifyReply): string | undefined {
  const start = `${bank.cookie.name}=`
  const line = [reply.getHeader('set-cookie') ?? []]
    .flat()
    .map(String)
    .find((one) => one.startsWith(start))
  return line?.slice(start.length).split(';')[0] || undefined
}

async function panelFacts(
  bank: Bank,
  request: FastifyRequest,
  { handle, userId }: Subject,
  issued: string | undefined,
): Promise<PanelFacts> {
  const sessions = userId === undefined ? [] : await request.server.sessions.list(userId)
  const session = sessions.find((one) => one.handle === handle)
  if (session !== undefined) bank.ended.see(session)
  return {
    now: bank.clock(),
    handle,
    secrets: handle === undefined ? [] : secretFacts(bank, handle, issued ?? presentedCookie(bank, request)),
    session,
    ended: session === undefined ? await endedFacts(bank, request) : undefined,
    cookie: cookieFacts(bank.cookie, request.protocol),
    journal: session === undefined ? [] : bank.journal.latest(session.handle, session.userId, SHOWN_EVENTS),
  }
}

/** The secrets of a session. The last one is the secret that the browser has now. */
function secretFacts(bank: Bank, handle: string, cookie: string): readonly SecretFacts[] {
  const current = fingerprintOf(cookie)
  const known = bank.issued.secretsOf(handle)
  const facts = known.map((one) => ({ ...one, isCurrent: one.fingerprint === current }))
  // A session in a file can be older than this process.
  const isKnown = facts.some(({ isCurrent }) => isCurrent)
  return isKnown ? facts : [...facts, { fingerprint: current, reason: 'from before the bank opened', isCurrent: true }]
}

/**
 * Returns the end of the session whose ticket is in the address; `undefined` without a ticket, or while that session
 * lives.
 */
async function endedFacts(bank: Bank, request: FastifyRequest): Promise<EndedFacts | undefined> {
  const seen = bank.ended.find(field(request.query, 'ended'))
  if (seen === undefined) return undefined
  const open = await request.server.sessions.list(seen.userId)
  if (open.some(({ handle }) => handle === seen.handle)) return undefined
  return {
    handle: seen.handle,
    how: howEnded(seen, bank.journal.endOf(seen.handle), bank.clock()),
    fingerprint: bank.issued.secretsOf(seen.handle).at(-1)?.fingerprint,
    others: open.length,
  }
}

/** Says how a session ended. A store removes an expired record without an event when nobody asks for that record. */
function howEnded(seen: SeenSession, end: JournalEntry | undefined, now: number): string {
  if (end !== undefined) return end.text
  if (now >= seen.absoluteDeadline.getTime()) return 'Ended: it reached its greatest age.'
  return now >= seen.idleDeadline.getTime() ? 'Ended: nobody used it for too long.' : 'Ended.'
}
