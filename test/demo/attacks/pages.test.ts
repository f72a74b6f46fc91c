import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildBank } from '../../../lib/demo/app.ts'
import { ATTACKS } from '../../../lib/demo/attacks/all.ts'
import { ROOT } from '../../support/imports.ts'
import { textOf, Visitor } from '../visitor.ts'

const bank = await buildBank()
t.teardown(() => bank.close())
const visitor = new Visitor(bank)
await visitor.logIn('alice')

/** Makes an attack and returns the page that shows it. */
async function attacked(name: string): Promise<{ body: string; text: string }> {
  const { statusCode, headers } = await visitor.post(`/attacks/${name}`)
  t.equal(statusCode, 303)
  const page = await visitor.get(headers.location ?? '')
  return { body: page.body, text: textOf(page) }
}

/** The lines of code on a page: the file, and each line by its number. */
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

t.test('the attack page lists six attacks, each with a button, for customers and for visitors', async (t) => {
  t.strictSame(
    ATTACKS.map(({ title }) => title),
    [
      'Replay the cookie from before login',
      'Use the cookie after logout',
      'Plant an id',
      'Post from another origin',
      'Change the cookie by one letter',
      'Copy the cookie to a second browser and wait for a renewal',
    ],
  )
  for (const { body } of [await visitor.get('/attacks'), await new Visitor(bank).get('/attacks')]) {
    for (const { name } of ATTACKS) t.match(body, `<form method="post" action="/attacks/${name}">`)
  }
  t.match(textOf(await visitor.get(`/attacks/${ATTACKS[0]?.name}`)), 'Try it')
})

for (const { name, title, passages } of ATTACKS) {
  t.test(`"${title}" is made over HTTP, is stopped, and shows requests, answers and the real code`, async (t) => {
    const { body, text } = await attacked(name)
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
    t.match(textOf(await visitor.get('/attacks')), `${title} Stopped at`)
  })
}

t.test('the pages of attacks hold no password and no whole id', async (t) => {
  for (const { name } of ATTACKS) {
    const { body } = await visitor.get(`/attacks/${name}`)
    t.notMatch(body, 'lantern-on-the-quay')
    t.notMatch(body, /session=[\w-]{5,}/)
  }
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
