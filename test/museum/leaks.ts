import type { TLSSocket } from 'node:tls'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Family } from './exhibit.ts'
import { advisory } from './exhibit.ts'
import type { PlainVisit } from './plain-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'

class LogsTheId extends PlainSessions {
  protected override async load(value: string | undefined): Promise<PlainVisit> {
    this.site.app.log.debug(`resolved session ${value}`)
    return super.load(value)
  }
}

class LooksAtTheSocketAlone extends PlainSessions {
  protected override answer(visit: PlainVisit, reply: FastifyReply, request: FastifyRequest): void {
    super.answer(visit, reply, request)
    const line = reply.getHeader('set-cookie')
    const { encrypted: isEncrypted = false } = request.raw.socket as Partial<TLSSocket>
    if (typeof line !== 'string' || isEncrypted) return
    reply.removeHeader('set-cookie').header('set-cookie', line.replace('; Secure', ''))
  }
}

export const leaks: Family = {
  name: 'leaks',
  exhibits: [
    {
      requirement: 'no log line of any level holds the id of a session',
      references: [advisory('Spring Session', 'CVE-2023-20866', 'r7qr-f43m-pxfr')],
      fault: 'The id of each request was printed to the standard output.',
      closedBy: [12],
      imitation: LogsTheId,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/note', { theme: 'dark' })
        const thief = site.client()
        for (const [word] of site.log.join('\n').matchAll(/[\w.-]{20,}/g)) {
          thief.cookie = word
          if ((await thief.me()) === 'ann') return true
        }
        return false
      },
    },
    {
      requirement: 'behind a proxy that ends https, the cookie is for https alone',
      references: [advisory('Tomcat', 'CVE-2023-28708', '2c9m-w27f-53rm')],
      fault: 'Behind a proxy that named https in X-Forwarded-Proto, the cookie lacked Secure.',
      closedBy: [14],
      imitation: LooksAtTheSocketAlone,
      async attack(open) {
        const site = await open({ cookie: { name: 'session', secure: 'auto' } })
        const { headers } = await site.client().post('/login', { user: 'ann' }, { 'x-forwarded-proto': 'https' })
        const line = String(headers['set-cookie'])
        if (!line.startsWith('session=')) throw new Error('the login should have set the cookie')
        return !/; Secure/i.test(line)
      },
    },
  ],
}
