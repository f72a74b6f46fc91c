import t from 'tap'
import { makeCertificate } from '../support/certificate.ts'
import { startApache, startCaddy, startHaproxy, startNginx } from '../support/servers/proxies.ts'
import type { ProxyOptions } from '../support/servers/proxies.ts'
import { post, startApp, upgrade } from './app.ts'
import { productionSession } from './production.ts'

/** The way in which a proxy passes the host, the protocol and the client on. */
type Style =
  | 'host rewritten, X-Forwarded-Host sent'
  | 'host passed with its port'
  | 'host passed without its port'
  | 'host passed without its port, nothing about the client'

const NGINX_BASE = [
  'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for',
  'proxy_set_header X-Forwarded-Proto $scheme',
  'proxy_set_header Upgrade $http_upgrade',
  'proxy_set_header Connection $http_connection',
]

const NGINX: Record<Style, string[]> = {
  'host rewritten, X-Forwarded-Host sent': [...NGINX_BASE, 'proxy_set_header X-Forwarded-Host $http_host'],
  'host passed with its port': [...NGINX_BASE, 'proxy_set_header Host $http_host'],
  'host passed without its port': [...NGINX_BASE, 'proxy_set_header Host $host'],
  'host passed without its port, nothing about the client': [...NGINX_BASE.slice(1), 'proxy_set_header Host $host'],
}

const HAPROXY_BASE = [
  'option forwardfor',
  'http-request set-header X-Forwarded-Proto https if { ssl_fc }',
  'http-request set-header X-Forwarded-Proto http if !{ ssl_fc }',
]

const HAPROXY: Record<Style, string[]> = {
  'host rewritten, X-Forwarded-Host sent': [
    ...HAPROXY_BASE,
    'http-request set-header X-Forwarded-Host %[req.hdr(Host)]',
    'http-request set-header Host inner.local:3000',
  ],
  'host passed with its port': HAPROXY_BASE,
  'host passed without its port': [...HAPROXY_BASE, 'http-request set-header Host %[req.hdr(Host),field(1,:)]'],
  'host passed without its port, nothing about the client': [
    ...HAPROXY_BASE.slice(1),
    'http-request set-header Host %[req.hdr(Host),field(1,:)]',
  ],
}

const PROXIES = [
  { name: 'nginx', start: startNginx, styles: NGINX },
  { name: 'haproxy', start: startHaproxy, styles: HAPROXY },
] as const

const certificate = makeCertificate()

for (const { name, start, styles } of PROXIES) {
  for (const scheme of ['http', 'https'] as const) {
    for (const [style, rules] of Object.entries(styles)) {
      t.test(`${name}, ${scheme}, ${style}: the app's own pages pass and others do not`, async (t) => {
        const isTls = scheme === 'https'
        for (const trustProxy of [true, ['127.0.0.1']]) {
          const app = await startApp(t, trustProxy)
          const options: ProxyOptions = { app: app.port, rules, ...(isTls && { certificate }) }
          const port = await start(t, options)
          const host = `shop.example.com:${port}`
          const own = `${scheme}://${host}`
          const sent = await post(port, { host, origin: own }, isTls)
          t.equal(sent.status, 200, sent.body)
          t.match(JSON.parse(sent.body), { protocol: scheme })
          t.equal(await upgrade(port, { host, origin: own }, isTls), 101)
          for (const origin of [`${scheme}://evil.example:${port}`, 'https://shop.example.com.evil.example', 'null']) {
            t.equal((await post(port, { host, origin }, isTls)).status, 403, origin)
            t.equal(await upgrade(port, { host, origin }, isTls), 403, origin)
          }
        }
      })
    }
  }

  t.test(
    `${name}: a host that is rewritten and not passed on refuses the socket, and the log says what was compared`,
    async (t) => {
      const app = await startApp(t, true)
      const all = styles['host rewritten, X-Forwarded-Host sent']
      const port = await start(t, { app: app.port, rules: all.filter((rule) => !rule.includes('X-Forwarded-Host')) })
      const host = `shop.example.com:${port}`
      t.equal(await upgrade(port, { host, origin: `http://${host}` }), 403)
      const inner = name === 'nginx' ? `127\\.0\\.0\\.1:${app.port}` : 'inner\\.local:3000'
      t.match(app.lines().at(-1), {
        msg: new RegExp(
          `Origin http://shop\\.example\\.com:${port} was compared with http://${inner}.*X-Forwarded-Host`,
        ),
      })
      const page = await post(port, { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })
      t.equal(page.status, 200, 'a browser that vouches for the page is believed')
    },
  )

  t.test(`${name}: a trustProxy that lacks the proxy is named with the peer, once`, async (t) => {
    const app = await startApp(t, ['192.0.2.1'])
    const port = await start(t, {
      app: app.port,
      rules: styles['host rewritten, X-Forwarded-Host sent'],
      certificate,
    })
    const host = 'shop.example.com'
    for (let index = 0; index < 2; index += 1) {
      t.equal(await upgrade(port, { host, origin: `https://${host}` }, true), 403)
    }
    const said = app.lines()
    t.match(said[0], { rule: 'session/trust-proxy-missing', msg: /from the address 127\.0\.0\.1.*\['127\.0\.0\.1'\]/ })
    t.equal(said.filter(({ rule }) => rule !== undefined).length, 1)
    t.match(said.at(-1), { msg: /does not believe X-Forwarded-Host: trustProxy lacks 127\.0\.0\.1/ })
  })
}

const REWRITES = 'host rewritten, X-Forwarded-Host sent'
const PASSES = 'host passed with its port'
const APACHE = 'RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}'

for (const [name, start, style, rules] of [
  ['Caddy', startCaddy, REWRITES, ['header_up Host {upstream_hostport}']],
  ['Caddy', startCaddy, PASSES, []],
  ['Apache', startApache, REWRITES, [APACHE]],
  ['Apache', startApache, PASSES, [APACHE, 'ProxyPreserveHost On']],
] as const) {
  t.test(`${name}, http, ${style}: the app's own pages pass and others do not`, async (t) => {
    const app = await startApp(t, '127.0.0.1')
    const port = await start(t, { app: app.port, rules })
    const host = `shop.example.com:${port}`
    const own = `http://${host}`
    const sent = await post(port, { host, origin: own })
    t.equal(sent.status, 200, sent.body)
    t.match(JSON.parse(sent.body), { host, protocol: 'http' })
    t.equal(await upgrade(port, { host, origin: own }), 101)
    t.equal(app.seen[0]?.host === host, style === PASSES)
    for (const origin of [`http://evil.example:${port}`, 'null']) {
      t.equal((await post(port, { host, origin })).status, 403, origin)
      t.equal(await upgrade(port, { host, origin }), 403, origin)
    }
  })
}

t.test('a chain of proxies that adds to X-Forwarded-Proto is told that Fastify takes the last entry', async (t) => {
  const app = await startApp(t, true)
  const inner = await startNginx(t, {
    app: app.port,
    rules: [
      'proxy_set_header X-Forwarded-Proto "$http_x_forwarded_proto, $scheme"',
      'proxy_set_header Host $http_host',
    ],
  })
  const outer = await startHaproxy(t, { app: inner, rules: HAPROXY_BASE, certificate })
  const sent = await post(outer, { host: 'shop.example.com' }, true)
  t.match(JSON.parse(sent.body), { protocol: 'http' })
  t.match(app.lines()[0], {
    rule: 'session/trust-proxy-missing',
    msg: /takes the last entry of X-Forwarded-Proto, which is "http"; an earlier one is https/,
  })
})

t.test('a proxy that says https in a header which Fastify does not read is told so', async (t) => {
  const app = await startApp(t, true)
  const port = await startHaproxy(t, {
    app: app.port,
    rules: ['http-request set-header Forwarded proto=https'],
    certificate,
  })
  t.match(JSON.parse((await post(port, { host: 'shop.example.com' }, true)).body), { protocol: 'http' })
  t.match(app.lines()[0], {
    rule: 'session/trust-proxy-missing',
    msg: /Forwarded says https, and Fastify does not read/,
  })
})

t.test(
  'health probes of a proxy and of a cluster are no reason for a warning, and a login over plain http is',
  async (t) => {
    const app = await startApp(t, undefined, productionSession(t))
    const before = app.lines().length
    const port = await startHaproxy(t, { app: app.port, rules: [] })
    for (const host of ['10.42.0.17:3000', 'shop.default.svc.cluster.local', 'shop.example.com']) {
      t.equal((await post(port, { host })).status, 200)
    }
    t.equal((await post(port, { host: '10.42.0.17:3000' }, false, '/login')).status, 200)
    t.strictSame(app.lines().slice(before), [])
    t.equal((await post(port, { host: 'shop.example.com' }, false, '/login')).status, 200)
    await post(port, { host: 'shop.example.com' })
    t.match(app.lines().slice(before), [{ rule: 'session/plain-http-in-production' }])
  },
)
