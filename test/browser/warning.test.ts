/** The warning before the end of a session, as the guide of sessions shows it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { testClock } from '../support/clock.ts'
import type { TestClock } from '../support/clock.ts'
import { guide } from '../support/guides.ts'
import { ROOT } from '../support/imports.ts'
import { blocksOf } from '../support/markdown.ts'

const chromium = await Chromium.start(t, makeCertificate())

/** Serves the app of the guide, on a free port and by a clock that the test moves. */
async function serveGuide(t: Test, clock: TestClock): Promise<string> {
  const block = blocksOf(guide('lib/session/README.md')).find(({ code }) => code.includes('/session/ends'))
  const library = pathToFileURL(join(ROOT, 'lib/index.ts')).href
  const code = (block?.code ?? '')
    .replace("'fastify-session-guard'", `'${library}'`)
    .replace('{ secret:', "{ environment: 'test', clock: globalThis.guideClock, secret:")
    .replace('Date.now()', 'globalThis.guideClock()')
    .replace(/await app\.listen.*/, 'export { app }')
  const file = join(t.testdir(), 'app.mjs')
  writeFileSync(file, code)
  Object.assign(globalThis, { guideClock: clock })
  const { app } = (await import(pathToFileURL(file).href)) as { app: FastifyInstance }
  t.teardown(() => app.close())
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return address.replace('127.0.0.1', 'localhost')
}

t.test(
  'a page warns two minutes before the end of the session, and its question does not put the end off',
  async (t) => {
    const clock = testClock()
    const origin = await serveGuide(t, clock)
    const device = await chromium.device(t)
    const page = await device.newPage()
    const left = async (): Promise<number | null> => {
      const answer = await device.request.get(`${origin}/session/ends`)
      return ((await answer.json()) as { left: number | null }).left
    }
    const pass = async (time: '28m' | '2m'): Promise<void> => {
      clock.advance(time)
      const asked = page.waitForResponse('**/session/ends')
      await page.clock.fastForward({ '28m': 1_680_000, '2m': 120_000 }[time])
      await asked
    }
    await page.clock.install({ time: clock() })
    await page.goto(`${origin}/`)
    await page.evaluate(() => fetch('/login', { method: 'POST' }))
    const first = page.waitForResponse('**/session/ends')
    await page.reload()
    await first
    const warning = page.getByText('You will be logged out in two minutes.')
    t.notOk(await warning.isVisible())
    await pass('28m')
    await warning.waitFor({ state: 'visible' })
    t.equal(await left(), 120_000)

    const stayed = page.waitForResponse('**/session/stay')
    await page.getByRole('button', { name: 'Stay logged in' }).click()
    t.equal((await stayed).status(), 200)
    await warning.waitFor({ state: 'hidden' })
    t.equal(await left(), 1_800_000)

    await pass('28m')
    await warning.waitFor({ state: 'visible' })
    const reloaded = page.waitForEvent('framenavigated')
    await pass('2m')
    await reloaded
    t.equal(await left(), null)
  },
)
