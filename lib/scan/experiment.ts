import type { Browser } from './browser.ts'

/** The cookies of one browser that are tried. Each costs up to two visits. */
const MAX_TRIED = 8

/** The result of an experiment with the cookies of a login. */
export interface Experiment {
  readonly tried: ReadonlySet<string>
  /** Cookies without which nobody is logged in, and cookies that log in alone. */
  readonly carriers: ReadonlySet<string>
}

/**
 * Finds the cookies on which a login hangs: visits a page without each of them, and with each of them alone.
 * `isLoggedIn` visits the page with a browser.
 */
export async function findCarriers(
  browser: Browser,
  isLoggedIn: (browser: Browser) => Promise<boolean>,
): Promise<Experiment> {
  const tried = [...browser.cookies.keys()].slice(0, MAX_TRIED)
  const carriers = new Set<string>()
  for (const name of tried) {
    // A signature carries nothing alone.
    if (name.endsWith('.sig')) continue
    const isNeeded = !(await isLoggedIn(browser.copy((other) => other !== name)))
    if (isNeeded || (await isLoggedIn(browser.copy((other) => other === name)))) carriers.add(name)
  }
  return { tried: new Set(tried), carriers }
}
