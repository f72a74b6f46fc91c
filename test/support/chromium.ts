import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Certificate } from './certificate.ts'
import { temporaryFolder } from './sqlite.ts'

interface Test {
  teardown(end: () => Promise<void> | void): void
}

/** The place of Chromium on Debian. */
const PROGRAM = '/usr/bin/chromium'

/** Milliseconds that a page may take, so that a slow machine does not fail a test. */
const PATIENCE = 30_000

const FLAGS = ['--disable-gpu', '--disable-quic', '--disable-sync']

/** Names of sites that exist only for tests. All lead to this machine, and no other name leads anywhere. */
const HOSTS = 'MAP *.test 127.0.0.1, MAP localhost 127.0.0.1, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND'

/** A Chromium for one test file. Each device is a private window of it. */
export class Chromium {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  /** Starts a Chromium that trusts this certificate. It closes when the test ends. */
  static async start(t: Test, certificate: Certificate): Promise<Chromium> {
    const browser = await chromium.launch(launchOptions(certificate))
    t.teardown(() => browser.close())
    return new Chromium(browser)
  }

  /** Opens a device with cookies, cache and storage of its own. It closes when the test ends. */
  async device(t: Test, options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const device = await this.#browser.newContext(options)
    device.setDefaultTimeout(PATIENCE)
    t.teardown(() => device.close())
    return device
  }
}

/**
 * Starts a Chromium that is one device, with a new profile that is deleted when the test ends. Private windows and
 * Debian's settings block all third-party cookies. This profile allows them, so that SameSite alone decides.
 */
export async function startProfile(t: Test, certificate: Certificate): Promise<BrowserContext> {
  const home = temporaryFolder(t)
  mkdirSync(join(home, 'Default'))
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }
  writeFileSync(join(home, 'Default/Preferences'), JSON.stringify(preferences))
  const device = await chromium.launchPersistentContext(home, launchOptions(certificate))
  device.setDefaultTimeout(PATIENCE)
  t.teardown(() => device.close())
  return device
}

/** Features of Chromium that bind sessions to keys in software, as often as a test likes. */
const DEVICE_BOUND = 'DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting'

/** Starts a Chromium that binds sessions to its device. The profile is in this folder, and outlives the browser. */
export async function startBoundProfile(t: Test, certificate: Certificate, home: string): Promise<BrowserContext> {
  const options = launchOptions(certificate)
  const args = [...(options.args ?? []), `--enable-features=${DEVICE_BOUND}`]
  const device = await chromium.launchPersistentContext(home, { ...options, args })
  device.setDefaultTimeout(PATIENCE)
  t.teardown(() => device.close())
  return device
}

function launchOptions({ pin }: Certificate): LaunchOptions {
  if (!existsSync(PROGRAM)) {
    execFileSync(fileURLToPath(new URL('services.sh', import.meta.url)), ['chromium'], { stdio: 'inherit' })
  }
  return {
    executablePath: PROGRAM,
    args: [...FLAGS, `--host-resolver-rules=${HOSTS}`, `--ignore-certificate-errors-spki-list=${pin}`],
    // Ordinary browsers keep pages for the Back button, and a test looks at such a page after a logout.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    timeout: PATIENCE,
  }
}
