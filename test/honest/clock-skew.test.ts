import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { FakeClock } from '../support/faketime.ts'
import { startRedis } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { AppProcess, ProcessAnswer } from '../support/store-process.ts'
import { startAppProcess } from '../support/store-process.ts'
import { Jar } from '../support/jar.ts'
import { MINUTE, SECOND } from './timeline.ts'

/** Processes of one app on one store: the clock of the first is right, the others are ahead by these milliseconds. */
const SKEWS = [0, 35 * SECOND, 2 * MINUTE]

interface Processes {
  readonly apps: readonly AppProcess[]
  readonly advance: (milliseconds: number) => void
}

async function startProcesses(t: Test, url: string): Promise<Processes> {
  const home = temporaryFolder(t)
  const clocks = SKEWS.map((skew, index) => new FakeClock(home, `${index}`, skew))
  const apps = await Promise.all(clocks.map(({ environment }) => startAppProcess(t, { url }, environment)))
  return { apps, advance: (milliseconds) => clocks.forEach((clock) => clock.advance(milliseconds)) }
}

/** A browser whose requests may go to either process. */
class Visitor {
  readonly #jar = new Jar()

  get header(): string {
    return this.#jar.header(0)
  }

  async send(
    app: AppProcess,
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    header = this.header,
  ): Promise<ProcessAnswer> {
    const answer = await app.request(method, path, header === '' ? undefined : header, body)
    this.#jar.take(answer.setCookies, 0)
    return answer
  }
}

async function skewed(t: Test, url: string): Promise<void> {
  const { apps, advance } = await startProcesses(t, url)
  const [right, ...ahead] = apps as [AppProcess, ...AppProcess[]]
  for (const [index, other] of ahead.entries()) {
    const apart = `clocks ${(SKEWS[index + 1] ?? 0) / SECOND} s apart`
    const orders = [
      [right, other],
      [other, right],
    ] as const

    t.test(`${apart}: renewals and late requests on both servers end no session`, async (t) => {
      for (const [first, second] of orders) {
        const user = `ann-${index}-${first === right}`
        const visitor = new Visitor()
        await visitor.send(first, 'POST', '/login', { user })
        for (let round = 0; round < 2; round += 1) {
          advance(16 * MINUTE)
          const old = visitor.header
          await Promise.all([first, second, first].map((app) => visitor.send(app, 'GET', '/me')))
          for (const app of [first, second]) t.match((await visitor.send(app, 'GET', '/me')).body, { user })
          // A request that was on its way for a while.
          for (const app of [second, first]) {
            advance(10 * SECOND)
            t.match((await visitor.send(app, 'GET', '/me', undefined, old)).body, { user }, `late, round ${round}`)
          }
          for (let minute = 0; minute < 4; minute += 1) {
            advance(MINUTE)
            for (const app of orders[0]) {
              t.match((await visitor.send(app, 'GET', '/me')).body, { user }, `round ${round}`)
            }
          }
        }
      }
    })

    t.test(`${apart}: a login beside a revocation is revoked or refused, never forgotten`, async (t) => {
      for (const [first, second] of orders) {
        for (let round = 0; round < 4; round += 1) {
          const user = `bob-${index}-${first === right}-${round}`
          const [, ...logins] = await Promise.all([
            second.request('POST', '/revoke', undefined, { user }),
            ...Array.from({ length: 4 }, () => first.request('POST', '/login', undefined, { user })),
          ])
          const me = await Promise.all(logins.map(({ cookie }) => second.request('GET', '/me', cookie || undefined)))
          const alive = me.filter(({ body }) => body['user'] === user).length
          t.match((await second.request('POST', '/revoke', undefined, { user })).body, { ended: alive })
          const late = await Promise.all(logins.map(({ cookie }) => first.request('GET', '/me', cookie || undefined)))
          t.ok(late.every(({ body }) => body['user'] === null))
        }
      }
    })
  }
}

t.test('processes on one SQLite file', async (t) => {
  await skewed(t, `sqlite:${join(temporaryFolder(t), 'sessions.db')}`)
})

t.test('processes on one Redis', async (t) => {
  await skewed(t, (await startRedis(t)).url)
})
