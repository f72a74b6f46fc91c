import type { FastifyInstance } from 'fastify'
import type { Bank } from '../bank.ts'
import { waitingPage } from '../pages/waiting.ts'
import { MINUTE, STEP_MINUTES } from '../timeouts.ts'
import { field } from './form.ts'
import { sendBarePage } from './send-page.ts'

/** The clock of the bank. Both routes leave the session alone, so that waiting does not count as use. */
export function clockRoutes(app: FastifyInstance, bank: Bank): void {
  const options = { config: { session: false } } as const

  app.post('/clock', options, async (request, reply) => {
    bank.clock.advance(STEP_MINUTES * MINUTE)
    // The browser goes by a clock of its own. Without the bound cookie it proves its key before the next page.
    if (bank.isBinding) reply.clearCookie(`${bank.cookie.name}-bound`, { path: '/', secure: true })
    return reply.redirect(`/clock?waited=${waitedIn(request.body) + STEP_MINUTES}`, 303)
  })

  app.get('/clock', options, async (request, reply) =>
    sendBarePage(reply, waitingPage({ now: bank.clock(), minutes: waitedIn(request.query) })),
  )
}

/** Reads how long a visitor has waited. Only the page shows that number; nothing depends on it. */
function waitedIn(form: unknown): number {
  const typed = field(form, 'waited')
  return /^\d{1,4}$/.test(typed) ? Number(typed) : 0
}
