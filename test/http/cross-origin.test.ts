import type { IncomingHttpHeaders } from 'node:http'
import t from 'tap'
import type { Refusal } from '../../lib/http/cross-origin.ts'
import { judgeOrigin, ownHost } from '../../lib/http/cross-origin.ts'

const TRUSTED = new Set(['https://partner.example', 'capacitor://localhost'])
const HOST = 'app.example'
const OWN = 'https://app.example'
const ALIEN = 'https://evil.example'
const PARTNER = 'https://partner.example'

interface Sent {
  method?: string
  headers: IncomingHttpHeaders
  protocol?: string
  /** The host that Fastify sees, where it differs from the header. */
  host?: string
  ips?: string[]
}

function judge({ method = 'POST', headers, protocol = 'https', host, ips }: Sent): Refusal | undefined {
  const raw = { method, headers }
  const seen = host ?? headers.host ?? String(headers[':authority'] ?? '')
  return judgeOrigin({ raw, host: seen, protocol, ips }, (origin) => TRUSTED.has(origin))
}

function reasonOf(sent: Sent): string | undefined {
  return judge(sent)?.reason
}

t.test('methods that change nothing pass, from anywhere', async (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
    t.equal(reasonOf({ method, headers: { host: HOST, origin: ALIEN, 'sec-fetch-site': 'cross-site' } }), undefined)
  }
})

const TABLE: [site: string | undefined, origin: string | undefined, reason: Refusal['reason'] | undefined][] = [
  ['same-origin', undefined, undefined],
  ['same-origin', OWN, undefined],
  ['none', undefined, undefined],
  ['same-site', undefined, 'site'],
  ['same-site', 'https://sibling.app.example', 'site'],
  ['same-site', PARTNER, undefined],
  ['cross-site', undefined, 'site'],
  ['cross-site', ALIEN, 'site'],
  ['cross-site', OWN, 'site'],
  ['cross-site', 'null', 'site'],
  ['cross-site', PARTNER, undefined],
  ['cross-site', 'capacitor://localhost', undefined],
  ['cross-site', 'capacitor://localhost/', 'site'],
  ['cross-site', 'https://partner.example.evil.example', 'site'],
  ['cross-site', 'http://partner.example', 'site'],
  ['', undefined, 'site'],
  ['same-origin, cross-site', OWN, 'site'],
  ['Same-Origin', OWN, 'site'],
  [undefined, undefined, undefined],
  [undefined, OWN, undefined],
  [undefined, 'http://app.example', 'protocol'],
  [undefined, 'https://app.example:8443', 'host'],
  [undefined, ALIEN, 'host'],
  [undefined, PARTNER, undefined],
  [undefined, 'capacitor://localhost', undefined],
  [undefined, 'capacitor://app.example', 'host'],
  [undefined, 'null', 'null'],
  [undefined, '', 'host'],
  [undefined, 'app.example', 'host'],
  [undefined, 'https://', 'host'],
  [undefined, '\u0000', 'host'],
]

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
  t.test(`${method}: Sec-Fetch-Site decides, without it the Origin, and with neither it is no browser`, async (t) => {
    for (const [site, origin, reason] of TABLE) {
      const headers = {
        host: HOST,
        ...(origin !== undefined && { origin }),
        ...(site !== undefined && { 'sec-fetch-site': site }),
      }
      t.equal(reasonOf({ method, headers }), reason, JSON.stringify(headers))
    }
  })
}

t.test('the handshake of a WebSocket is judged although it is a GET', async (t) => {
  const headers = { host: HOST, upgrade: 'websocket', connection: 'Upgrade' }
  t.equal(reasonOf({ method: 'GET', headers: { ...headers, origin: OWN } }), undefined)
  t.equal(reasonOf({ method: 'GET', headers: { ...headers, origin: ALIEN } }), 'host')
})

t.test('the letter case and the default ports of a host make no difference', async (t) => {
  const same: [origin: string, host: string, protocol: string][] = [
    ['http://app.example:8080', 'App.Example:8080', 'http'],
    ['https://shop.example.com', 'shop.example.com:443', 'https'],
    ['https://shop.example.com', 'SHOP.example.COM', 'https'],
    ['http://box.lan', 'box.lan:80', 'http'],
    ['https://shop.example.com', 'shop.example.com:80', 'https'],
    ['https://shop.example.com', 'shop.example.com', 'wss'],
    ['http://[::1]:3000', '[::1]:3000', 'http'],
    ['http://[2001:db8::1]', '[2001:DB8:0:0:0:0:0:1]', 'http'],
    ['https://xn--bcher-kva.example', 'b\u00fccher.example', 'https'],
  ]
  for (const [origin, host, protocol] of same) {
    t.equal(reasonOf({ headers: { host, origin }, protocol }), undefined, `${origin} ${host}`)
  }
  const other: [origin: string, host: string, protocol: string][] = [
    ['http://app.example:9090', 'app.example:8080', 'http'],
    ['http://app.example', 'app.example:8080', 'http'],
    ['http://box.lan:8080', 'box.lan', 'http'],
    ['http://box.lan:8080', 'box.lan:80', 'http'],
    ['http://box.lan:443', 'box.lan', 'http'],
    ['https://shop.example.com', 'shop.example.com.', 'https'],
    ['https://shop.example.com', 'shop.example.com@evil.example', 'https'],
    ['https://shop.example.com', 'evil.example/shop.example.com', 'https'],
    ['https://shop.example.com', 'shop.example.com:port', 'https'],
    ['https://shop.example.com', '', 'https'],
  ]
  for (const [origin, host, protocol] of other) {
    t.equal(reasonOf({ headers: { host, origin }, protocol }), 'host', `${origin} ${host}`)
  }
})

t.test(
  'a host without its port, as nginx sends $host, is compared by name when a trusted proxy stands in front',
  async (t) => {
    const headers = { host: 'box.lan', origin: 'http://box.lan:8080' }
    const ips = ['127.0.0.1']
    for (const [name, value] of [
      ['x-forwarded-for', '203.0.113.5'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'box.lan'],
      ['x-real-ip', '203.0.113.5'],
      ['forwarded', 'for=203.0.113.5'],
      ['via', '1.1 cache'],
    ] as const) {
      t.equal(reasonOf({ headers: { ...headers, [name]: value }, protocol: 'http', ips }), undefined, name)
    }
    t.equal(reasonOf({ headers, protocol: 'http', ips }), 'host', 'nobody forwarded this one')
    const passed = { ...headers, 'x-forwarded-for': '203.0.113.5' }
    t.equal(reasonOf({ headers: passed, protocol: 'http' }), 'host', 'trustProxy is off')
    t.equal(reasonOf({ headers: { ...passed, origin: 'http://other.lan:8080' }, protocol: 'http', ips }), 'host')
    t.equal(reasonOf({ headers: { ...passed, host: 'box.lan:80' }, protocol: 'http', ips }), 'host', 'it says the port')
  },
)

t.test(
  'a page over https may send to what looks like http, since a proxy may end TLS unknown to Fastify',
  async (t) => {
    t.equal(reasonOf({ headers: { host: HOST, origin: OWN }, protocol: 'http' }), undefined)
  },
)

t.test('the host is the one that Fastify sees behind its trusted proxy', async (t) => {
  const headers = { host: '127.0.0.1:3000', origin: OWN, 'x-forwarded-host': HOST }
  t.equal(reasonOf({ headers, host: HOST }), undefined)
  t.match(judge({ headers, host: '127.0.0.1:3000', protocol: 'http' }), {
    reason: 'host',
    origin: OWN,
    own: 'http://127.0.0.1:3000',
    site: undefined,
  })
})

t.test('a refusal names the origin of the app as a browser would write it', async (t) => {
  const headers = { host: 'App.Example', origin: ALIEN }
  t.equal(judge({ headers })?.own, OWN)
  t.equal(judge({ headers, protocol: 'wss' })?.own, OWN)
  t.equal(judge({ headers, protocol: 'http' })?.own, 'http://app.example')
  t.equal(reasonOf({ headers: { host: HOST, origin: 'http://app.example' }, protocol: 'wss' }), 'protocol')
})

t.test('in HTTP/2 the :authority goes before a host field', async (t) => {
  t.equal(reasonOf({ headers: { ':authority': HOST, origin: OWN } }), undefined)
  t.equal(reasonOf({ headers: { ':authority': HOST, host: 'evil.example', origin: OWN } }), undefined)
  t.equal(reasonOf({ headers: { ':authority': HOST, host: 'evil.example', origin: ALIEN } }), 'host')
  const forwarded = { raw: { headers: { ':authority': 'inner', host: 'inner' } }, host: HOST, protocol: 'https' }
  t.equal(ownHost(forwarded), HOST, 'a forwarded host goes before both')
  t.equal(reasonOf({ headers: { origin: OWN } }), 'host', 'no host at all')
  t.equal(
    judgeOrigin({ raw: { headers: {} }, host: HOST, protocol: 'https' }, () => false),
    undefined,
    'no method',
  )
})

t.test('a Sec-Fetch-Site that came twice lets nothing in', async (t) => {
  const headers = { host: HOST, 'sec-fetch-site': ['same-origin', 'cross-site'] }
  t.match(judge({ headers: headers as unknown as IncomingHttpHeaders }), {
    reason: 'site',
    site: 'same-origin, cross-site',
  })
})
