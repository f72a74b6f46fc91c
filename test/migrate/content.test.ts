import { mkdirSync, readFile, rmSync, unlink, writeFile } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { hmacOf } from '../../lib/migrate/signature.ts'
import { memoryStore } from '../../lib/index.ts'
import type { MakeStore } from '../support/app.ts'
import { isNobody, newApp } from './new-app.ts'
import {
  cookieSessionApp,
  expressSessionApp,
  fastifySessionApp,
  ironSessionApp,
  memoryOf,
  OLD_SECRET,
} from './old-apps.ts'
import type { OldCookies, Store } from './old-apps.ts'

/** Returns the cookies of cookie-session around a value that its key signed. */
function signed(value: string): OldCookies {
  const signature = hmacOf('sha1', OLD_SECRET, `old=${value}`).replaceAll('+', '-').replaceAll('/', '_')
  return new Map([
    ['old', value],
    ['old.sig', signature],
  ])
}

t.test('a signed cookie that holds no object is no session', async (t) => {
  const { bench, visitor, living } = await newApp(t, cookieSessionApp(t))
  const inBase64 = (text: string): string => Buffer.from(text).toString('base64')
  for (const text of ['', 'no JSON', 'null', '7', '"ann"', '[{"userId":"ann"}]', '{"userId":"ann"']) {
    const page = await visitor(signed(inBase64(text))).visit()
    isNobody(t, page, text)
  }
  t.strictSame(bench.takeEvents('migrate'), [])
  t.strictSame(await living(), [])
  const page = await visitor(signed(inBase64('{"userId":"ann"}'))).visit()
  t.equal(page.userId, 'ann', 'the signature of these cookies is the right one')
})

t.test('a cookie without the prefix of @fastify/session is no session of it', async (t) => {
  const old = await fastifySessionApp(t, undefined, 's:')
  const { visitor } = await newApp(t, old)
  const cookies = await old.open({ userId: 'ann' })
  const bare = new Map(Array.from(cookies, ([name, value]) => [name, decodeURIComponent(value).replace(/^s:/, '')]))
  t.match(await visitor(bare).visit(), { status: 200, userId: null })
  t.equal((await visitor(cookies).visit()).userId, 'ann')
})

t.test('a record of @fastify/session that names no end is let in until its store drops it', async (t) => {
  for (const cookie of [undefined, {}, { expires: 'soon' }, { originalExpires: null, expires: null }]) {
    const store = memoryOf()
    const old = await fastifySessionApp(t, store)
    const { visitor } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann' })
    const [id = ''] = Object.keys((store as unknown as { sessions: Record<string, string> }).sessions)
    await new Promise<void>((resolve) => void store.set(id, { cookie, userId: 'ann' }, () => resolve()))
    t.equal((await visitor(cookies).visit()).userId, 'ann', JSON.stringify(cookie))
  }
})

const { Store: StoreBase } = createRequire(import.meta.url)('express-session') as { Store: new () => object }

/** A store with one file for each session, which answers with the error of the file system. */
class FileStore extends StoreBase implements Store {
  readonly #folder: string

  constructor(folder: string) {
    super()
    this.#folder = folder
  }

  get(id: string, answer: (error: unknown, session?: object | null) => void): void {
    readFile(join(this.#folder, id), 'utf8', (error, text) => {
      if (error === null) answer(null, JSON.parse(text) as object)
      else answer(error)
    })
  }

  set(id: string, session: object, answer: (error?: unknown) => void = () => undefined): void {
    writeFile(join(this.#folder, id), JSON.stringify(session), answer)
  }

  destroy(id: string, answer: (error?: unknown) => void = () => undefined): void {
    unlink(join(this.#folder, id), answer)
  }
}

t.test(
  'an old store on files says that a file is missing, and that is no session; any other error is a 503',
  async (t) => {
    const folder = t.testdir({})
    const old = expressSessionApp(t, new FileStore(folder))
    const { visitor } = await newApp(t, old)
    const open = async (userId: string): Promise<{ cookies: OldCookies; file: string }> => {
      const cookies = await old.open({ userId })
      const [, id = ''] = /^s:([^.]+)\./.exec(decodeURIComponent(cookies.get('connect.sid') ?? '')) ?? []
      return { cookies, file: join(folder, id) }
    }
    const [ann, bob, eve] = [await open('ann'), await open('bob'), await open('eve')]
    rmSync(bob.file)
    rmSync(eve.file)
    mkdirSync(eve.file)
    t.equal((await visitor(ann.cookies).visit()).userId, 'ann')
    t.match(await visitor(bob.cookies).visit(), { status: 200, userId: null })
    t.match(await visitor(eve.cookies).visit(), { status: 503, code: 'SESSION_STORE_UNAVAILABLE' })
  },
)

t.test('a store that repeats a command refuses the first step of a move, and the next request moves', async (t) => {
  let isRepeating = false
  const makeStore: MakeStore = (_t, clock) => {
    const store = memoryStore({ clock })
    const create = store.create.bind(store)
    // A driver repeats a command whose answer was lost with its connection.
    const repeated: typeof create = async (record) => (await create(record)) && (!isRepeating || (await create(record)))
    return Object.assign(store, { create: repeated })
  }
  const old = ironSessionApp(t)
  const { visitor } = await newApp(t, old, { makeStore })
  const ann = visitor(await old.open({ userId: 'ann' }))
  isRepeating = true
  t.match(await ann.visit(), { status: 503, code: 'SESSION_SUPERSEDED' })
  isRepeating = false
  t.equal((await ann.visit()).userId, 'ann')
})
