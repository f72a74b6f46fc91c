import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { Browser, Budget, mayPass } from '../../lib/scan/browser.ts'
import { formsOf, untypedFieldsOf } from '../../lib/scan/form.ts'
import type { Form } from '../../lib/scan/form.ts'
import { logOut } from '../../lib/scan/logout.ts'
import { parseSetCookie } from '../../lib/scan/set-cookie.ts'
import { read, redirect, serve } from './deployments.ts'

const open = (url: URL): Browser =>
  new Browser(url.hostname, new Budget({ timeout: 20_000, requests: 100, clock: Date.now }), undefined)

t.test('a form is sent with the origin, and with the address of its page as browsers tell it', async (t) => {
  const seen: IncomingMessage['headers'][] = []
  const url = await serve(t, (request, response) => {
    seen.push(request.headers)
    response.end()
  })
  const from = new URL('/login?token=of-anna', url)
  await open(url).visit(url, { method: 'POST', form: new URLSearchParams({ a: 'b' }), from })
  await open(url).visit(url, { method: 'POST', form: new URLSearchParams(), from: new URL('http://other.example/x') })
  await open(url).visit(url)
  t.match(seen[0], { origin: url.origin, referer: `${url.origin}/login` })
  t.equal(seen[1]?.referer, undefined, 'a page of another origin is not named')
  t.equal(seen[2]?.origin, undefined, 'a page that is only looked at has no origin')
})

t.test('a cookie that was taken away is not sent any more', async (t) => {
  const sent: (string | undefined)[] = []
  const url = await serve(t, (request, response) => {
    sent.push(request.headers.cookie)
    const cookie = request.url === '/out' ? 'a=; Max-Age=0' : 'a=1'
    response.writeHead(200, { 'set-cookie': [cookie, 'b=2'] }).end()
  })
  const browser = open(url)
  for (const path of ['/', '/out', '/']) await browser.visit(new URL(path, url))
  t.strictSame(sent, [undefined, 'a=1; b=2', 'b=2'])
  t.strictSame([...browser.cookies.keys()], ['b', 'a'])
})

t.test('an error that names an address leads nowhere', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/') response.writeHead(401, { location: '/next' }).end()
    else redirect(response, '/never')
  })
  const { status, url: at } = await open(url).visit(url)
  t.match({ status, path: at.pathname }, { status: 401, path: '/' })
})

t.test('what a user typed may go to its own origin, and from http to https of the host', async (t) => {
  const may = (from: string, to: string): boolean => mayPass(new URL(from), new URL(to))
  t.equal(may('https://a.example/x', 'https://a.example/y'), true)
  t.equal(may('http://a.example', 'https://a.example'), true)
  t.equal(may('https://a.example', 'https://a.example:8443'), false, 'another port')
  t.equal(may('https://a.example', 'http://a.example'), false)
  t.equal(may('http://a.example', 'http://a.example:8080'), false)
  t.equal(may('http://a.example', 'https://b.example'), false)
})

t.test('a form ends at its end, and hidden fields without names are not sent', async (t) => {
  const [form] = formsOf(
    '<form action=/a><input type=hidden name=x value=1><input type=hidden value=2></form><input type=hidden name=y>',
  )
  t.strictSame([...untypedFieldsOf(form as Form)], [['x', '1']])
})

t.test('a header is read up to a bound', async (t) => {
  const cookie = parseSetCookie(`a=${'x'.repeat(9000)}; Secure`, 0)
  t.equal(cookie?.value.length, 8190)
  t.equal(cookie?.secure, false, 'what stands behind the bound is not read')
})

t.test('a logout is sent by the form that leads there, and by no other', async (t) => {
  const sent: string[] = []
  const url = await serve(t, (request, response) => {
    void read(request).then(({ path, form }) => {
      if (request.method === 'POST') sent.push(`${path} ${form.toString()}`)
      response.end('bye')
    })
  })
  const body =
    '<form action=/search><input type=hidden name=q value=1></form><form action=/out><input type=hidden name=t value=2></form>'
  const home = await open(url).visit(url)
  const outcome = await logOut(open(url), { ...home, body }, new URL('/out', url), async () => true)
  t.equal(outcome.isAccepted, true)
  t.strictSame(sent, ['/out t=2'])
})

t.test(
  'a logout that asks again is answered by the form of that page, and a form with a password is none',
  async (t) => {
    const sent: string[] = []
    let isOut = false
    const url = await serve(t, (request, response) => {
      void read(request).then(({ form }) => {
        sent.push(`${request.method} ${form.toString()}`)
        isOut ||= form.get('sure') === 'yes'
        const again = '<form action=/out><input type=hidden name=sure value=yes></form>'
        response.end(request.method === 'POST' && !isOut ? again : 'bye')
      })
    })
    const home = await open(url).visit(url)
    const body = '<form action=/out><input type=hidden name=sure value=yes><input type=password name=pw></form>'
    const outcome = await logOut(open(url), { ...home, body }, new URL('/out', url), async () => isOut)
    t.match(outcome, { isAccepted: true, status: 200 })
    t.strictSame(sent, ['GET ', 'POST ', 'POST sure=yes'])
  },
)

t.test('pages of any size are read up to a bound', async (t) => {
  t.equal(formsOf('<form action=/a></form>'.repeat(200)).length, 64)
  t.equal(formsOf(`<form>${'<input name=a>'.repeat(2000)}</form>`)[0]?.inputs.length, 256)
  t.equal(formsOf(`<form ${'x'.repeat(5000)} action=/late>`)[0]?.action, '')
})
