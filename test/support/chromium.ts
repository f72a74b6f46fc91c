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

/** Where Debian puts it. */
const PROGRAM = '/usr/bin/chromium'

/** A slow machine is no reason to fail; a page that never comes is. */
const PATIENCE = 30_000

const FLAGS = ['--disable-gpu', '--disable-quic', '--disable-sync']

/** Made-up names of sites, all on this machine, and no way out to any other. */
const HOSTS = 'MAP *.test 127.0.0.1, MAP localhost 127.0.0.1, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND'

/** A Chromium of one test file, with a profile of its own, in which each device is a private window. */
export class Chromium {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  /** Starts one that is gone when the test ends, and that trusts this certificate. */
  static async start(t: Test, certificate: Certificate): Promise<Chromium> {
    const browser = await chromium.launch(launchOptions(certificate))
    t.teardown(() => browser.close())
    return new Chromium(browser)
  }

  /** Another device: its cookies, cache and storage are its own. Gone when the test ends. */
  async device(t: Test, options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const device = await this.#browser.newContext(options)
    device.setDefaultTimeout(PATIENCE)
    t.teardown(() => device.close())
    return device
  }
}

/**
 * Starts a Chromium that is one device, its profile new and gone when the test ends. Private windows, and Debian's settings,
 * keep all cookies from third parties; here nothing but SameSite decides.
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

function launchOptions({ pin }: Certificate): LaunchOptions {
  if (!existsSync(PROGRAM)) {
    execFileSync(fileURLToPath(new URL('services.sh', import.meta.url)), ['chromium'], { stdio: 'inherit' })
  }
  return {
    executablePath: PROGRAM,
    args: [...FLAGS, `--host-resolver-rules=${HOSTS}`, `--ignore-certificate-errors-spki-list=${pin}`],
    // People's browsers keep pages for the Back button, and what comes back after a logout is to be seen.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    timeout: PATIENCE,
  }
}
