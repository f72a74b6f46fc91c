import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { removeRenewed } from '../../lib/http/header-id.ts'
import { hiddenIdOf } from '../../lib/http/hidden-id.ts'

const ORIGIN = 'https://app.example'
const PREFLIGHT = { origin: ORIGIN, 'access-control-request-headers': 'content-type, X-Session' }
const LETS_IN = { 'access-control-allow-origin': ORIGIN }

function judge(
  sent: Record<string, string>,
  given: Record<string, string | string[]>,
  { method = 'GET', header = 'x-session' }: { method?: string; header?: string | undefined } = {},
) {
  const request = { method, headers: sent } as unknown as FastifyRequest
  const reply = { getHeader: (name: string) => given[name], hasHeader: (name: string) => name in given }
  return hiddenIdOf(request, reply as unknown as FastifyReply, header)
}

t.test('a renewed id that the page cannot read is named as the guide writes it', async (t) => {
  const renewed = { ...LETS_IN, 'session-renewed': 'an id' }
  const hidden = { origin: ORIGIN, header: 'Session-Renewed', isResponse: true }
  t.strictSame(judge({ origin: ORIGIN }, renewed), hidden)
  t.equal(judge({ origin: ORIGIN }, { ...renewed, 'access-control-expose-headers': 'a, Session-Renewed' }), null)
  const lists = ['content-length', 'Session-Renewed']
  t.equal(judge({ origin: ORIGIN }, { ...renewed, 'access-control-expose-headers': lists }), null, 'a header twice')
  t.equal(judge({}, renewed), null, 'no page of another origin')
  t.equal(judge({ origin: ORIGIN, 'sec-fetch-site': 'same-origin' }, renewed), null)
  t.equal(judge({ origin: 'https://evil.example' }, renewed), null, 'this page is not let in')
  t.equal(judge({ origin: 'x'.repeat(5_000) }, { ...renewed, 'access-control-allow-origin': '*' })?.origin.length, 1024)
})

t.test('a preflight that may not send the header of the id is told, and any other request is not', async (t) => {
  const options = { method: 'OPTIONS' }
  t.strictSame(judge(PREFLIGHT, LETS_IN, options), { origin: ORIGIN, header: 'x-session', isResponse: false })
  t.equal(judge(PREFLIGHT, { ...LETS_IN, 'access-control-allow-headers': 'a,x-session' }, options), null)
  t.equal(judge({ ...PREFLIGHT, 'access-control-request-headers': 'a' }, LETS_IN, options), null)
  t.equal(judge(PREFLIGHT, LETS_IN), null, 'no preflight')
})

t.test('a renewed id is taken out of the response, where Fastify and where Node would send it', async (t) => {
  const left = new Set(['reply session-renewed', 'raw session-renewed', 'raw date'])
  const raw = { removeHeader: (name: string) => left.delete(`raw ${name}`) }
  removeRenewed({ removeHeader: (name: string) => left.delete(`reply ${name}`), raw } as unknown as FastifyReply)
  t.strictSame([...left], ['raw date'])
})
