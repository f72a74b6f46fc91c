import t from 'tap'
import { startApp } from '../proxies/app.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { startHaproxy, startNginx } from '../support/servers/proxies.ts'

const certificate = makeCertificate()
const browser = await Chromium.start(t, certificate)

/** Returns a script: a page's form as a fetch, and a WebSocket; each says how it went. */
const TRY = (origin: string): string => `(async () => {
  const { status } = await fetch('${origin}/note', { method: 'POST', credentials: 'include', mode: 'cors' }).catch(() => ({ status: 'no' }))
  const socket = await new Promise((resolve) => {
    const opened = new WebSocket('${origin.replace(/^http/, 'ws')}/socket')
    opened.onmessage = ({ data }) => resolve(data)
    opened.onerror = () => resolve('refused')
  })
  return [status, socket]
})()`

const NGINX = [
  'proxy_set_header X-Forwarded-Host $http_host',
  'proxy_set_header X-Forwarded-Proto $scheme',
  'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for',
  'proxy_set_header Upgrade $http_upgrade',
  'proxy_set_header Connection $http_connection',
]
const HAPROXY = [
  'option forwardfor',
  'http-request set-header X-Forwarded-Proto https if { ssl_fc }',
  'http-request set-header X-Forwarded-Host %[req.hdr(Host)]',
  'http-request set-header Host inner.local:3000',
]

for (const [name, start, rules] of [
  ['nginx', startNginx, NGINX],
  ['haproxy', startHaproxy, HAPROXY],
] as const) {
  for (const scheme of ['https', 'http'] as const) {
    t.test(
      `${name} over ${scheme}: form and socket of a page pass where the proxy rewrites Host, those of others do not`,
      async (t) => {
        const app = await startApp(t, true)
        const port = await start(t, { app: app.port, rules, ...(scheme === 'https' && { certificate }) })
        const device = await browser.device(t)
        const page = await device.newPage()
        const own = `${scheme}://app.test:${port}`
        await page.goto(own)
        t.strictSame(await page.evaluate(TRY(own)), [200, 'open'])
        const handshakes = app.seen.filter(({ upgrade }) => upgrade === 'websocket')
        t.equal(handshakes.length, 1)
        t.match(handshakes[0], { origin: own, 'sec-fetch-site': undefined }, 'no browser sends it with a handshake')
        t.not(handshakes[0]?.host, `app.test:${port}`, 'the proxy has rewritten Host')
        // The same machine under another name is another origin.
        await page.goto(`${scheme}://evil.test:${port}`)
        t.strictSame(await page.evaluate(TRY(own)), ['no', 'refused'])
      },
    )
  }
}
