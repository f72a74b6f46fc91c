import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Answer } from './small-app.ts'
import { cookieOf, logIn } from './small-app.ts'

/** Rejections that nobody handled, from now to the end of the test; there must be none. */
export function expectNoUnhandled(t: Test): void {
  const unhandled: unknown[] = []
  const hear = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', hear)
  t.teardown(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', hear)
    if (unhandled.length > 0) throw new AggregateError(unhandled, 'unhandled rejections')
  })
}

/** The part of a store that has stopped working. */
type Outage = 'all' | 'writes'

/**
 * Checks an app while its store is away. The app answers every request in time, with a 503 where it would have to look
 * up the session. It serves the other requests, and reports no login that is not stored.
 */
export async function expectOutage(
  t: Test,
  app: FastifyInstance,
  { cookie, outage = 'all', within }: { cookie: string; outage?: Outage; within: number },
): Promise<void> {
  const headers = { cookie }
  const ask = async (method: 'GET' | 'POST', url: string, more: object = {}): Promise<Answer> => {
    const began = performance.now()
    const answer = await app.inject({ method, url, ...more })
    const took = performance.now() - began
    t.ok(took < within, `${method} ${url} is answered in time`, { took, within })
    return answer
  }
  const [read, write, login, again, anonymous, plain, free] = await Promise.all([
    ask('GET', '/me', { headers }),
    ask('POST', '/note', { headers, payload: { note: 'lost' } }),
    ask('POST', '/login', { payload: { user: 'eve' } }),
    ask('POST', '/login', { headers, payload: { user: 'eve' } }),
    ask('GET', '/me'),
    ask('GET', '/plain'),
    ask('GET', '/free', { headers }),
  ])
  for (const [name, answer] of Object.entries({ ...(outage === 'all' && { read }), write, login, again })) {
    t.equal(answer.statusCode, 503, name)
    t.match(answer.headers['retry-after'], /^\d+$/, name)
    t.equal(cookieOf(answer), undefined, name)
    t.notMatch(answer.headers, { 'set-cookie': /./ }, name)
  }
  if (outage === 'writes') t.equal(read.statusCode, 200, 'what needs no write is served')
  for (const [name, answer] of Object.entries({ anonymous, plain, free })) t.equal(answer.statusCode, 200, name)
}

/** Traffic of users. All that users were told is done has to be there when the store is back. */
interface Traffic {
  /** Lets every user finish what they do, and checks that all they were told is true. */
  stop(): Promise<void>
  /** The number of answers of each status. */
  readonly statuses: ReadonlyMap<number, number>
  /** The number of answers that were a success. */
  readonly successes: number
}

/** Users who log in and write notes again and again, and remember what they were told. */
export function startTraffic(t: Test, app: FastifyInstance, users: number): Traffic {
  const statuses = new Map<number, number>()
  const isStopping = { now: false }
  const told: { cookie: string; user: string; notes: Set<string> }[] = []
  const post = async (url: string, payload: object, cookie?: string): Promise<Answer> => {
    const answer = await app.inject({ method: 'POST', url, payload, ...(cookie && { headers: { cookie } }) })
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
    return answer
  }
  const live = async (name: string): Promise<void> => {
    for (let login = 0; !isStopping.now; login += 1) {
      const user = `${name}-${login}`
      const cookie = cookieOf(await post('/login', { user }))
      if (cookie === undefined) continue
      // A write that failed may have happened: from then on both notes are right.
      const session = { cookie, user, notes: new Set(['null']) }
      told.push(session)
      for (let note = 0; note < 5; note += 1) {
        const answer = await post('/note', { note: String(note) }, cookie)
        if (answer.statusCode === 200) session.notes.clear()
        session.notes.add(`"${note}"`)
      }
    }
  }
  const lives = Array.from({ length: users }, (_, index) => live(`user-${index}`))
  return {
    statuses,
    get successes() {
      return statuses.get(200) ?? 0
    },
    async stop() {
      isStopping.now = true
      await Promise.all(lives)
      const lost: string[] = []
      for (const { cookie, user, notes } of told) {
        const { statusCode, body } = await answered(app, cookie)
        const me = statusCode === 200 ? (JSON.parse(body) as { user: string; note: unknown }) : undefined
        if (me?.user !== user || !notes.has(JSON.stringify(me.note))) lost.push(`${user}: ${statusCode} ${body}`)
      }
      t.strictSame(lost, [], `all of ${told.length} sessions are there as their users were told`)
      t.strictSame(
        [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
        [],
      )
    },
  }
}

/** Asks until there is an answer: the machine may be slow, and 503 says nothing about the session. */
async function answered(app: FastifyInstance, cookie: string): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await app.inject({ url: '/me', headers: { cookie } })
    if (answer.statusCode !== 503 || attempt === 20) return answer
  }
}

/** Logs in until it works. */
export async function recovered(app: FastifyInstance, user: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await logIn(app, user)
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
