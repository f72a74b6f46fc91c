import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { startExample } from '../support/example.ts'
import { guide } from '../support/guides.ts'
import { blocksOf } from '../support/markdown.ts'
import { installedPackages } from '../support/packages.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { ProxiedApp } from './app.ts'
import { post, startApp, upgrade } from './app.ts'

t.setTimeout(600_000)
const vite = join(await installedPackages('runners'), 'vite/bin/vite.js')

/** Starts the development server of Vite with a page of its own. Returns its port. */
async function startVite(t: Test, config: string): Promise<number> {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'vite.config.js'), config)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>own</title>')
  const args = [vite, '--host', '127.0.0.1', '--port', '0', '--clearScreen', 'false']
  return Number(new URL((await startExample(t, folder, args)).url).port)
}

/** Returns a config whose proxy has one entry for the app. */
function configOf(entry: object | string): string {
  return `export default { server: { proxy: ${JSON.stringify({ '/api': entry })} } }`
}

/** Returns a config of the guide, with the port of the app in place of the guide's. */
function configOfGuide(file: string, { port }: ProxiedApp): string {
  const block = blocksOf(guide('lib/http/README.md')).find(({ attributes }) => attributes['file'] === file)
  return String(block?.code).replace(':3000', `:${port}`)
}

/** A page that is no secure context, so that its forms come with an Origin and without Sec-Fetch-Site. */
const HOST = '192.168.1.5:5173'
const PAGE = { host: HOST, origin: `http://${HOST}` }

const ALIEN = 'http://evil.example:5173'

async function passes(t: Test, port: number): Promise<void> {
  t.match(await post(port, PAGE, false, '/api/note'), { status: 200 })
  t.equal(await upgrade(port, PAGE, false, '/api/socket'), 101)
  for (const origin of [ALIEN, 'null', `http://${HOST}.evil.example`]) {
    const page = { host: HOST, origin }
    t.match(await post(port, page, false, '/api/note'), { status: 403 }, origin)
    t.equal(await upgrade(port, page, false, '/api/socket'), 403, origin)
  }
}

t.test("Vite's proxy as in the guide: form and WebSocket of a page pass, those of others do not", async (t) => {
  const app = await startApp(t, undefined)
  await passes(t, await startVite(t, configOfGuide('vite.config.js', app)))
  t.equal(app.seen[0]?.host, HOST)
})

t.test(
  "Vite's proxy with changeOrigin as in the guide: form and WebSocket of a page pass, others do not",
  async (t) => {
    const app = await startApp(t, 'loopback')
    await passes(t, await startVite(t, configOfGuide('vite.config.rewriting.js', app)))
    t.match(app.seen[0], { host: `127.0.0.1:${app.port}`, 'x-forwarded-host': HOST })
  },
)

t.test("Vite's short form rewrites Host, and the log of the refusal names what is missing", async (t) => {
  const app = await startApp(t, 'loopback')
  const port = await startVite(t, configOf(`http://127.0.0.1:${app.port}`))
  t.match(await post(port, PAGE, false, '/api/note'), { status: 403 })
  const compared = `Origin http://${HOST} was compared with http://127.0.0.1:${app.port}`
  t.match(app.lines().at(-1)?.msg, compared)
  t.match(app.lines().at(-1)?.msg, 'X-Forwarded-Host')
  const vouched = await post(port, { ...PAGE, 'sec-fetch-site': 'same-origin' }, false, '/api/note')
  t.equal(vouched.status, 200, 'a browser that vouches for the page is believed')
})

t.test("Vite's xfwd passes the host of a form on, and not that of a WebSocket", async (t) => {
  const app = await startApp(t, 'loopback')
  const entry = { target: `http://127.0.0.1:${app.port}`, changeOrigin: true, xfwd: true, ws: true }
  const port = await startVite(t, configOf(entry))
  t.match(await post(port, PAGE, false, '/api/note'), { status: 200 })
  t.equal(await upgrade(port, PAGE, false, '/api/socket'), 403)
  t.match(app.lines().at(-1)?.msg, `Origin http://${HOST} was compared with http://127.0.0.1:${app.port}`)
})

t.test(
  "Vite's rewriteWsOrigin lets the WebSocket of every origin pass, which is why the guide warns of it",
  async (t) => {
    const app = await startApp(t, 'loopback')
    const entry = { target: `http://127.0.0.1:${app.port}`, changeOrigin: true, rewriteWsOrigin: true, ws: true }
    const port = await startVite(t, configOf(entry))
    t.equal(await upgrade(port, { host: HOST, origin: ALIEN }, false, '/api/socket'), 101)
  },
)

/** Sends a form's content and opens a WebSocket; each says how it went. */
const TRY = `(async () => {
  const { status } = await fetch('/api/note', { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
  const socket = await new Promise((resolve) => {
    const opened = new WebSocket('/api/socket')
    opened.onmessage = ({ data }) => resolve(data)
    opened.onerror = () => resolve('refused')
  })
  return [status, socket]
})()`

t.test('a page that Vite serves to Chromium posts its form and opens its WebSocket', async (t) => {
  const browser = await Chromium.start(t, makeCertificate())
  for (const [file, trusted] of [
    ['vite.config.js', undefined],
    ['vite.config.rewriting.js', 'loopback'],
  ] as const) {
    const app = await startApp(t, trusted)
    const port = await startVite(t, configOfGuide(file, app))
    const page = await (await browser.device(t)).newPage()
    await page.goto(`http://localhost:${port}/`)
    t.equal(await page.title(), 'own')
    t.strictSame(await page.evaluate(TRY), [200, 'open'], file)
  }
})
