import type { FastifyReply } from 'fastify'
import t from 'tap'
import { boundAttributes, removeOffer } from '../../lib/http/device-cookie.ts'
import type { Settings } from '../../lib/options.ts'

function attributes(cookie: Partial<Settings['cookie']>): string {
  const whole = { path: '/', httpOnly: true, sameSite: 'lax', partitioned: false, domain: undefined, ...cookie }
  return boundAttributes({ cookie: whole } as Settings)
}

t.test('a browser is told the attributes of the bound cookie, in the words of Set-Cookie', async (t) => {
  t.equal(attributes({}), 'Path=/; Secure; HttpOnly; SameSite=Lax')
  t.equal(
    attributes({ domain: 'example.com', path: '/app', httpOnly: false, sameSite: 'none', partitioned: true }),
    'Domain=example.com; Path=/app; Secure; SameSite=None; Partitioned',
  )
})

t.test(
  'an offer is taken out of a response that has not begun, and a response that has begun is left alone',
  async (t) => {
    for (const headersSent of [false, true]) {
      const removed: string[] = []
      const raw = { headersSent, removeHeader: (name: string) => removed.push(`raw ${name}`) }
      const reply = { removeHeader: (name: string) => removed.push(name), raw }
      removeOffer(reply as unknown as FastifyReply)
      const offer = 'secure-session-registration'
      t.strictSame(removed, headersSent ? [offer] : [offer, `raw ${offer}`])
    }
  },
)
