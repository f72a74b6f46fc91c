/** Old sessions that nobody opened in the old app: made with other secrets, other algorithms and planted content. */
import { createHmac } from 'node:crypto'
import { sealData } from 'iron-session'
import t from 'tap'
import { expressSession } from '../../lib/migrate/express-session.ts'
import { fastifySession } from '../../lib/migrate/fastify-session.ts'
import type { OldStore } from '../../lib/migrate/express-session.ts'
import { isNobody, newApp } from './new-app.ts'
import type { OldApp, OldCookies } from './old-apps.ts'
import {
  cookieSessionApp,
  expressSessionApp,
  fastifySessionApp,
  ironSessionApp,
  memoryOf,
  OLD_APPS,
  OLD_SECRET,
  userOf,
} from './old-apps.ts'

const OTHER_SECRET = 'Zx81QpLm37VtRb60KsWn24HcYd95JfGaUeTiOoNyMvXs'

function hmac(algorithm: string, secret: string, text: string): string {
  return createHmac(algorithm, secret).update(text).digest('base64')
}

const bare = (text: string): string => text.replace(/=+$/, '')
const ofUrl = (text: string): string => bare(text).replaceAll('+', '-').replaceAll('/', '_')

/** Returns the signatures that an attacker can make for an id, and those that nobody checks. */
function signaturesOf(id: string): Record<string, string> {
  const good = bare(hmac('sha256', OLD_SECRET, id))
  return {
    'no signature': id,
    'an empty signature': `${id}.`,
    'another secret': `${id}.${bare(hmac('sha256', OTHER_SECRET, id))}`,
    'an empty secret': `${id}.${bare(createHmac('sha256', '').update(id).digest('base64'))}`,
    'another algorithm': `${id}.${bare(hmac('sha1', OLD_SECRET, id))}`,
    'a longer algorithm': `${id}.${bare(hmac('sha512', OLD_SECRET, id))}`,
    'the signature of another id': `${id}.${bare(hmac('sha256', OLD_SECRET, `${id}x`))}`,
    'a part of the signature': `${id}.${good.slice(0, 20)}`,
    'two signatures': `${id}.${good}.${bare(hmac('sha256', OTHER_SECRET, `${id}.${good}`))}`,
    'many dots': `${id}${'.'.repeat(4000)}`,
  }
}

/** Returns an old app whose store has a session of ann under a known id, and the cookie value around a signed id. */
async function withKnownId(
  t: Parameters<typeof expressSessionApp>[0],
): Promise<[app: OldApp, name: string, wrap: (signed: string) => string][]> {
  const session = { cookie: { originalMaxAge: null, expires: null }, userId: 'ann' }
  const stores = [memoryOf(), memoryOf()] as const
  for (const store of stores) await new Promise<void>((resolve) => void store.set('known', session, () => resolve()))
  return [
    [expressSessionApp(t, stores[0]), 'connect.sid', (signed) => `s%3A${encodeURIComponent(signed)}`],
    [await fastifySessionApp(t, stores[1]), 'sessionId', (signed) => encodeURIComponent(signed)],
  ]
}

t.test('an id that the old secret did not sign by the old algorithm opens no stored session', async (t) => {
  for (const [old, name, wrap] of await withKnownId(t)) {
    const { bench, visitor } = await newApp(t, old)
    for (const [what, signed] of Object.entries(signaturesOf('known'))) {
      const page = await visitor(new Map([[name, wrap(signed)]])).visit()
      isNobody(t, page, `${old.from}: ${what}`)
    }
    t.strictSame(bench.takeEvents('migrate'), [])
    const good = wrap(`known.${bare(hmac('sha256', OLD_SECRET, 'known'))}`)
    t.equal((await visitor(new Map([[name, good]])).visit()).userId, 'ann', 'and the right signature opens it')
  }
})

t.test('a cookie of the same library with another secret lets nobody in', async (t) => {
  const content = { userId: 'admin' }
  const json = Buffer.from(JSON.stringify(content)).toString('base64')
  const signed = (signature: string): OldCookies =>
    new Map([
      ['old', json],
      ['old.sig', signature],
    ])
  const crafted: [OldApp, Record<string, OldCookies>][] = [
    [
      cookieSessionApp(t),
      {
        'another secret': signed(ofUrl(hmac('sha1', OTHER_SECRET, `old=${json}`))),
        'another algorithm': signed(ofUrl(hmac('sha256', OLD_SECRET, `old=${json}`))),
        'the signature of another name': signed(ofUrl(hmac('sha1', OLD_SECRET, `older=${json}`))),
        'the signature of the value alone': signed(ofUrl(hmac('sha1', OLD_SECRET, json))),
        'no signature': new Map([['old', json]]),
        'an empty signature': signed(''),
      },
    ],
    [
      ironSessionApp(t),
      {
        'another secret': new Map([['iron', await sealData(content, { password: OTHER_SECRET })]]),
        'the number of a password that is not there': new Map([
          ['iron', await sealData(content, { password: { 2: OLD_SECRET } })],
        ]),
        'an older protocol': new Map([
          ['iron', (await sealData(content, { password: OLD_SECRET })).replace('Fe26.2*', 'Fe26.1*')],
        ]),
        'an end that was prolonged': new Map([
          ['iron', (await sealData(content, { password: OLD_SECRET })).replace(/\*(\d{10,})\*/, '*99999999999999*')],
        ]),
        'a seal without an end': new Map([
          ['iron', (await sealData(content, { password: OLD_SECRET })).replace(/\*(\d{10,})\*/, '**')],
        ]),
        'a seal of stars': new Map([['iron', `Fe26.2*1*${'*'.repeat(4000)}~2`]]),
      },
    ],
  ]
  for (const [old, forgeries] of crafted) {
    const { bench, visitor } = await newApp(t, old)
    for (const [what, cookies] of Object.entries(forgeries)) {
      isNobody(t, await visitor(cookies).visit(), `${old.from}: ${what}`)
    }
    t.strictSame(bench.takeEvents('migrate'), [])
  }
})

t.test('a prototype in a record of an old store makes nobody somebody else', async (t) => {
  const text =
    '{"cookie":{"expires":null},"__proto__":{"userId":"admin"},"constructor":{"prototype":{"userId":"a"}},"x":1}'
  const store: OldStore = {
    get: (_id: string, answer: (error: unknown, session?: object) => void) => answer(null, JSON.parse(text) as object),
    destroy: (_id: string, answer: (error?: unknown) => void) => answer(),
  }
  const merging = (data: object): ReturnType<typeof userOf> => userOf(Object.assign({}, data))
  const signed = `known.${bare(hmac('sha256', OLD_SECRET, 'known'))}`
  const options = { secret: OLD_SECRET, store, user: merging }
  for (const [migration, name, value] of [
    [expressSession(options), 'connect.sid', `s%3A${encodeURIComponent(signed)}`],
    [fastifySession(options), 'sessionId', encodeURIComponent(signed)],
  ] as const) {
    const { visitor } = await newApp(t, expressSessionApp(t), { session: { migrateFrom: [migration] } })
    const page = await visitor(new Map([[name, value]])).visit()
    t.match(page, { status: 200, userId: null }, name)
    t.strictSame(page.data, { x: 1 })
  }
})

for (const [library, make] of Object.entries(OLD_APPS)) {
  t.test(`of two cookies of one name of ${library} none enters, wherever the second one stands`, async (t) => {
    const old = await make(t)
    const { bench, visitor, living } = await newApp(t, old)
    const [ann, eve] = [await old.open({ userId: 'ann' }), await old.open({ userId: 'eve' })]
    const pairs = (cookies: OldCookies): string[] => Array.from(cookies, ([name, value]) => `${name}=${value}`)
    for (const [name] of ann) {
      for (const second of [eve.get(name) ?? '', ann.get(name) ?? '', '', 'x'.repeat(9000)]) {
        for (const line of [
          [`${name}=${second}`, ...pairs(ann)],
          [...pairs(ann), `${name}=${second}`],
        ]) {
          const cookie = line.join('; ')
          const page = await visitor(new Map()).visit('/me', { headers: { cookie } })
          const what = `${name}=${second.slice(0, 9)}`
          isNobody(t, page, what)
          t.strictSame(page.setCookie, [], what)
          t.equal(await bench.app.sessions.open(cookie), null)
        }
      }
    }
    t.strictSame(await living(), [])
    t.equal((await visitor(ann).visit()).userId, 'ann')
  })
}
