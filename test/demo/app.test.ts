import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { ConnectionOptions } from 'node:tls'
import t from 'tap'
import { buildBank } from '../../lib/demo/app.ts'
import { SecureSessionConfigError } from '../../lib/index.ts'
import { Visitor } from './visitor.ts'

/** TLS with a key that both ends know, so that no certificate is needed. */
const PSK = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
const KEY = randomBytes(32)
// `https.request` takes these too, which its types do not know.
const CLIENT = {
  ...PSK,
  pskCallback: () => ({ psk: KEY, identity: 'visitor' }),
  checkServerIdentity: () => undefined,
} satisfies ConnectionOptions as object

t.test('every page of the bank forbids scripts, frames and caching', async (t) => {
  const bank = await buildBank()
  t.teardown(() => bank.close())
  const visitor = new Visitor(bank)
  await visitor.logIn('alice')
  for (const url of ['/', '/account', '/devices', '/confirm', '/nowhere', '/%zz']) {
    const { headers, body } = await visitor.get(url)
    t.match(headers, {
      'content-security-policy':
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    t.notMatch(body, /<script|style="|<style|\son\w+="|https?:\/\//i)
  }
})

t.test('the style sheet and the icon are served without reading a session', async (t) => {
  const bank = await buildBank()
  t.teardown(() => bank.close())
  const visitor = new Visitor(bank)
  visitor.cookies.set('session', 'whatever')
  for (const [url, type] of [
    ['/style.css', 'text/css'],
    ['/icon.svg', 'image/svg+xml'],
  ] as const) {
    const { statusCode, headers } = await visitor.get(url)
    t.equal(statusCode, 200)
    t.match(headers['content-type'], type)
    t.notOk(headers.vary)
  }
})

t.test('on every page each control has a label, and there is one main heading and a language', async (t) => {
  const bank = await buildBank()
  t.teardown(() => bank.close())
  const visitor = new Visitor(bank)
  const pages = [(await visitor.get('/')).body]
  await visitor.logIn('alice')
  for (const url of ['/account', '/devices', '/confirm', '/nowhere']) pages.push((await visitor.get(url)).body)
  for (const body of pages) {
    t.match(body, '<html lang="en">')
    t.equal(body.match(/<h1>/g)?.length, 1)
    t.equal(body.match(/<main /g)?.length, 1)
    const labelled = new Set(Array.from(body.matchAll(/<label for="(\w+)"/g), ([, id]) => id))
    const controls = Array.from(body.matchAll(/<(?:input|select)\s[^>]*?\bid="(\w+)"/g), ([, id]) => id)
    for (const id of controls) t.ok(labelled.has(id), `${id} has a label`)
  }
})

t.test('over https the session cookie is Secure, and the page says so', async (t) => {
  const bank = await buildBank({ https: { ...PSK, pskCallback: () => KEY } })
  t.teardown(() => bank.close())
  const { headers, body } = await getOverTls(await bank.listen())
  t.match(headers['set-cookie']?.[0], '; HttpOnly; Secure; SameSite=Lax')
  t.match(body, 'It travels over https only.')
})

t.test('a bank with options that the guard refuses cannot be built', async (t) => {
  await t.rejects(
    buildBank({ session: { environment: 'production', cookie: { secure: false } } }),
    SecureSessionConfigError,
  )
})

async function getOverTls(url: string): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const call = request(url, { ...CLIENT, agent: false })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return { headers: response.headers, body: await text(response) }
}
