import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Refusal } from '../../lib/http/cross-origin.ts'
import { logRefusal } from '../../lib/http/refusal-log.ts'

const REFUSAL: Refusal = { reason: 'host', site: undefined, origin: 'https://a.example', own: 'https://b.example' }

/** Returns what is logged of a refusal: the facts and the text. */
function logged(
  refusal: Partial<Refusal>,
  {
    forwarded,
    host = 'b.example',
    ips,
    address = '10.0.0.1',
  }: Record<string, string | undefined> & { ips?: string } = {},
  isAllowedByCors = false,
): { facts: Record<string, string>; text: string } {
  let line: [facts: object, text: string] = [{}, '']
  const headers = { 'x-forwarded-host': forwarded, cookie: 'session=secret' }
  const log = { info: (facts: object, text: string) => (line = [facts, text]) }
  const socket = { remoteAddress: address === '' ? undefined : address }
  const request = { raw: { headers, socket }, host, ips: ips === undefined ? undefined : [ips], log }
  logRefusal(request as unknown as FastifyRequest, { ...REFUSAL, ...refusal }, isAllowedByCors)
  const { crossOrigin } = line[0] as { crossOrigin: Record<string, string> }
  return { facts: crossOrigin, text: line[1] }
}

t.test('one line says what was compared with what, and what may be at fault', async (t) => {
  const { facts, text } = logged({})
  t.strictSame(facts, { reason: 'host', site: undefined, origin: 'https://a.example', own: 'https://b.example' })
  t.equal(
    text,
    'SESSION_CROSS_ORIGIN: Origin https://a.example was compared with https://b.example, host and protocol as Fastify sees them, and with trustedOrigins. A proxy that rewrites Host has to send X-Forwarded-Host, and Fastify has to trust it: trustProxy.',
  )
  t.match(logged({}, {}, true).text, /trustedOrigins\. CORS lets this origin in: list it in trustedOrigins too\.$/)
})

t.test('a forwarded host that Fastify does not take is explained', async (t) => {
  const off = logged({}, { forwarded: 'c.example' }).text
  t.match(off, /Fastify does not believe X-Forwarded-Host: trustProxy is off\.$/)
  const lacking = { forwarded: 'c.example', ips: '10.0.0.1' }
  t.match(logged({}, lacking).text, /: trustProxy lacks 10\.0\.0\.1\.$/)
  t.match(logged({}, { ...lacking, address: '' }).text, /: trustProxy lacks the unix socket\.$/)
  t.match(logged({}, { forwarded: 'b.example, b.example' }).text, /takes the last entry of X-Forwarded-Host: let/)
  t.notMatch(logged({}, { forwarded: 'b.example' }).text, 'X-Forwarded-Host', 'the host is the one that was forwarded')
  t.notMatch(logged({}, { forwarded: 'c.example, b.example' }).text, 'does not believe')
})

t.test('only a host that differs has to do with a proxy', async (t) => {
  for (const reason of ['site', 'null', 'protocol'] as const) {
    t.notMatch(logged({ reason, site: 'cross-site' }, { forwarded: 'c.example' }).text, 'X-Forwarded-Host', reason)
  }
  t.match(logged({ reason: 'site', site: 'cross-site', origin: undefined }).text, 'list the Origin (none sent);')
})

t.test('what came from outside is shown up to 300 characters', async (t) => {
  const long = 'x'.repeat(1_000)
  const { facts } = logged({ reason: 'site', site: long, origin: long, own: long })
  for (const name of ['site', 'origin', 'own']) t.equal(facts[name]?.length, 300, name)
})
