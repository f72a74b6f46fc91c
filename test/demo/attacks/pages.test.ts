import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildBank } from '../../../lib/demo/app.ts'
import { ATTACKS } from '../../../lib/demo/attacks/all.ts'
import { bothCookies } from '../../../lib/demo/attacks/both-cookies.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { ROOT } from '../../support/imports.ts'
import { textOf, Visitor } from '../visitor.ts'

const bank = await buildBank()
t.teardown(() => bank.close())
const visitor = new Visitor(bank)
await visitor.logIn('alice')

/** A bank that binds sessions to devices, as `npm start -- --https` opens it. */
const bindingBank = await buildBank({
  https: makeCertificate(),
  session: { cookie: { name: '__Host-session', secure: true }, deviceBound: true },
})
t.teardown(() => bindingBank.close())
const bindingVisitor = new Visitor(bindingBank)
await bindingVisitor.logIn('alice')

/** Makes an attack and returns the page that shows it. */
async function attacked(name: string, who: Visitor): Promise<{ body: string; text: string }> {
  const { statusCode, headers } = await who.post(`/attacks/${name}`)
  t.equal(statusCode, 303)
  const page = await who.get(headers.location ?? '')
  return { body: page.body, text: textOf(page) }
}

/** Returns the lines of code on a page: the file, and each line by its number. */
function codeOn(body: string): { file: string; lines: Map<number, string> }[] {
  return Array.from(body.matchAll(/<figcaption><code>([^<]*)<\/code>(.*?)<\/ol>/gs), ([, file = '', list = '']) => {
    const found = list.matchAll(/<li value="(\d+)" class="\w*"><code>(.*?)<\/code><\/li>/gs)
    const lines = Array.from(found, ([, number, markup = '']) => {
      const text = markup.replace(/<\/?mark>/g, '')
      return [
        Number(number),
        text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
      ] as const
    })
    return { file, lines: new Map(lines) }
  })
}

t.test('the attack page lists seven attacks, each with a button, for customers and for visitors', async (t) => {
  t.strictSame(
    ATTACKS.map(({ title }) => title),
    [
      'Replay the cookie from before login',
      'Use the cookie after logout',
      'Plant an id',
      'Post from another origin',
      'Change the cookie by one letter',
      'Copy the cookie to a second browser and wait for a renewal',
      'Copy both cookies to another browser',
    ],
  )
  for (const { body } of [await bindingVisitor.get('/attacks'), await new Visitor(bindingBank).get('/attacks')]) {
    for (const { name } of ATTACKS) t.match(body, `<form method="post" action="/attacks/${name}">`)
  }
  t.match(textOf(await visitor.get(`/attacks/${ATTACKS[0]?.name}`)), 'Try it')
})

t.test('a bank without device-bound sessions says why it cannot copy both cookies, and has no button', async (t) => {
  const address = `/attacks/${bothCookies.name}`
  for (const page of [await visitor.get('/attacks'), await visitor.get(address)]) {
    t.match(textOf(page), 'This bank cannot show the attack. Browsers bind a session to a device only over https')
    t.match(textOf(page), 'Start the bank with npm start -- --https')
    t.notMatch(page.body, `action="${address}"`)
  }
  t.equal((await visitor.post(address)).statusCode, 404)
})

const CASES = [
  ...ATTACKS.filter((attack) => attack !== bothCookies).map((attack) => ({ attack, who: visitor, over: 'http' })),
  ...ATTACKS.map((attack) => ({ attack, who: bindingVisitor, over: 'https' })),
]

for (const {
  attack: { name, title, passages },
  who,
  over,
} of CASES) {
  t.test(`"${title}" is made over ${over}, is stopped, and shows requests, answers and the real code`, async (t) => {
    const { body, text } = await attacked(name, who)
    t.match(text, 'Stopped.')
    t.notMatch(text, 'Not stopped')
    t.match(body, /(?:GET|POST) \/\S* HTTP\/1\.1\nHost: 127\.0\.0\.1:\d+/)
    t.match(body, /HTTP\/1\.1 (?:303 See Other|403 Forbidden)/)
    t.match(body, 'class="decisive"')
    const shown = codeOn(body)
    t.equal(shown.length, passages.length)
    for (const { file, lines } of shown) {
      const source = readFileSync(ROOT + file, 'utf8').split('\n')
      t.ok(lines.size > 3, `${file} has several lines`)
      for (const [number, line] of lines) t.equal(line, source[number - 1], `${file}:${number}`)
    }
    t.match(body, '<mark>')
    t.match(textOf(await who.get('/attacks')), `${title} Stopped at`)
  })
}

t.test('the pages of attacks hold no password, no whole id and no whole proof', async (t) => {
  for (const { name } of ATTACKS) {
    const { body } = await bindingVisitor.get(`/attacks/${name}`)
    t.notMatch(body, 'lantern-on-the-quay')
    t.notMatch(body, /session=[\w-]{5,}/)
    for (const [, code] of body.matchAll(/<pre><code>(.*?)<\/code>/gs)) t.notMatch(code, /[\w-]{43}/)
  }
})

t.test('"Copy both cookies to another browser" shows both cookies, the offer and the proofs', async (t) => {
  const { body } = await bindingVisitor.get(`/attacks/${bothCookies.name}`)
  t.match(body, /Cookie: __Host-session=[^;\n]*…; __Host-session-bound=\w+\.[\w-]{4}…\n?/)
  t.match(
    body,
    /Secure-Session-Registration: \(ES256\);path=&#34;\/\.session\/register&#34;;challenge=&#34;\w+\.[\w-]{4}…/,
  )
  t.match(body, /Secure-Session-Response: &#34;[\w-]{4}…\.[\w-]{4}…\.[\w-]{4}…&#34;/)
  t.match(body, /HTTP\/1\.1 403 Forbidden\nSecure-Session-Challenge: &#34;/)
  t.match(body, 'the copy of both cookies is nobody. Alice is still logged in.')
})

t.test('attacks leave the session, the devices and the money of the visitor alone', async (t) => {
  const page = textOf(await visitor.get('/account'))
  t.match(page, 'Balance €2,450.00')
  t.notMatch(page, 'Another device')
  t.notMatch(textOf(await visitor.get('/devices')), 'Log out the other device')
})

t.test('a visitor can only choose from the list of attacks', async (t) => {
  t.equal((await visitor.post('/attacks/another', { url: 'http://127.0.0.1/' })).statusCode, 404)
  const answer = await visitor.send('POST', `/attacks/${ATTACKS[0]?.name}`, {
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  t.equal(answer.statusCode, 403)
})

t.test('attacks wait for their turn, and too many at once are refused with a page', async (t) => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => visitor.post(`/attacks/${ATTACKS[4]?.name}`)))
  t.strictSame(
    answers.map(({ statusCode }) => statusCode),
    [303, 303, 303, 303, 429, 429],
  )
  t.match(textOf(answers[5] ?? (await visitor.get('/'))), 'One attack at a time')
  t.equal((await visitor.post(`/attacks/${ATTACKS[4]?.name}`)).statusCode, 303)
})
