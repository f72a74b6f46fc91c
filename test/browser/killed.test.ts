import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Test } from 'tap'
import t from 'tap'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import type { BankSite } from '../support/sites.ts'
import { openBank } from '../support/sites.ts'
import { temporaryFolder } from '../support/sqlite.ts'

// Chromium writes its cookies to disk 30 s after the first change, by a clock that no test moves. So this file waits
// for real: `KILLED_AFTER=1,5,15,29 KILLED_TIMES=20 npx tap test/browser/killed.test.ts` is the long run.
const seconds = (process.env['KILLED_AFTER'] ?? '1').split(',').map(Number)
const times = Number(process.env['KILLED_TIMES'] ?? 1)
const ATTEMPTS = 3
const ACCOUNT = 'Good to see you, Alice Albright'
const certificate = makeCertificate()
// Sees to it that there is a Chromium.
await Chromium.start(t, certificate)

/** A Chromium in a process of its own, with a profile that outlives it. */
class Device {
  readonly #child: ChildProcess
  readonly #browser: Browser

  private constructor(child: ChildProcess, browser: Browser) {
    this.#child = child
    this.#browser = browser
  }

  /** Opens a browser. One that does not answer is killed, and another one is started: no page was visited yet. */
  static async open(t: Test, profile: string): Promise<Device> {
    for (let attempt = 1; ; attempt += 1) {
      const child = start(profile)
      t.teardown(() => killGroup(child))
      try {
        return new Device(child, await chromium.connectOverCDP(await debuggerOf(child), { timeout: 60_000 }))
      } catch (error) {
        if (attempt === ATTEMPTS) throw error
        await killGroup(child)
      }
    }
  }

  async customer(bank: BankSite): Promise<BankCustomer> {
    const [context] = this.#browser.contexts()
    if (context === undefined) throw new Error('Chromium has no window')
    return BankCustomer.at(context, bank)
  }

  /** Leaves in order: cookies are on disk. */
  async quit(): Promise<void> {
    const ended = once(this.#child, 'exit')
    const session = await this.#browser.newBrowserCDPSession()
    await session.send('Browser.close')
    await ended
  }

  /** SIGKILL for all its processes: nothing more is written. */
  async kill(): Promise<void> {
    await killGroup(this.#child)
  }
}

/** Starts a Chromium in a process group of its own. */
function start(profile: string): ChildProcess {
  return spawn(
    '/usr/bin/chromium',
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-sync',
      '--no-first-run',
      '--remote-debugging-port=0',
      '--password-store=basic',
      `--user-data-dir=${profile}`,
      '--host-resolver-rules=MAP *.test 127.0.0.1, MAP localhost 127.0.0.1, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND',
      `--ignore-certificate-errors-spki-list=${certificate.pin}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

async function debuggerOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('no log to read')
  for await (const line of createInterface(child.stderr)) {
    const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1]
    if (address === undefined) continue
    child.stderr.resume()
    return address
  }
  throw new Error('Chromium does not start')
}

/** Makes a profile that goes on where it left off, as phones do: cookies without an expiry survive a restart. */
function newProfile(t: Test): string {
  const profile = temporaryFolder(t)
  mkdirSync(join(profile, 'Default'))
  const preferences = { session: { restore_on_startup: 1 }, profile: { exit_type: 'Normal' } }
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify(preferences))
  return profile
}

for (const remember of [true, false]) {
  for (const second of seconds) {
    const who = remember ? 'a remembered login' : 'a login until the browser ends'
    t.test(`${who} survives a browser that is killed ${second} s after a renewal`, async (t) => {
      for (let time = 0; time < times; time += 1) {
        const bank = await openBank(t, 'production', certificate)
        const replays: string[] = []
        bank.app.sessions.events.on('replay', ({ handle }) => void replays.push(handle))
        const profile = newProfile(t)

        const former = await Device.open(t, profile)
        await (await former.customer(bank)).logIn('alice', { remember })
        await former.quit()

        const device = await Device.open(t, profile)
        const alice = await device.customer(bank)
        await alice.visit('/account')
        t.equal(await alice.heading(), ACCOUNT, 'the login is on disk')
        const [before] = await sessionOf(alice)
        bank.clock.advance('16m')
        await alice.visit('/account')
        await alice.visit('/devices')
        const [after] = await sessionOf(alice)
        t.not(after?.value, before?.value, 'the id is new, and was shown')
        await wait(second * 1000)
        await device.kill()

        bank.clock.advance(second * 1000 + 60_000)
        const later = await Device.open(t, profile)
        const again = await later.customer(bank)
        await again.visit('/account')
        t.equal(await again.heading(), ACCOUNT, `${second} s, time ${time + 1}`)
        bank.clock.advance('5m')
        await again.visit('/account')
        t.equal(await again.heading(), ACCOUNT, 'and stays')
        t.strictSame(replays, [])
        await later.kill()
      }
    })
  }
}

async function sessionOf(customer: BankCustomer): ReturnType<BankCustomer['cookies']> {
  return (await customer.cookies()).filter(({ name }) => name === '__Host-session')
}
