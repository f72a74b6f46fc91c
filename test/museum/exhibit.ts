import type { Test } from 'tap'
import { GuardedSessions } from './guarded-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'
import type { MakeSessions, SiteOptions } from './site.ts'
import { Site } from './site.ts'

/** A public advisory or issue, with its address. */
interface Reference {
  readonly peer: string
  readonly name: string
  readonly url: string
}

/** Opens a site; a refused configuration rejects. */
export type Open = (options?: SiteOptions) => Promise<Site>

export interface Exhibit {
  /** The requirement, which is the title of the test. */
  readonly requirement: string
  readonly references: readonly [Reference, ...Reference[]]
  /** The fault, in one sentence. */
  readonly fault: string
  /** The guarantees of SECURITY.md that close the fault, or the section of a guide where none of them does. */
  readonly closedBy: readonly number[] | { readonly guide: string; readonly link: string }
  /** Sessions with the step that was wrong. */
  readonly imitation: new (site: Site) => PlainSessions
  /** Resolves to `true` when the attack succeeds. */
  readonly attack: (open: Open) => Promise<boolean>
}

export interface Family {
  readonly name: string
  readonly exhibits: readonly Exhibit[]
}

/** Returns an advisory of GitHub. Advisories of GitHub have one address each. */
export function advisory(peer: string, name: string, ghsa: string): Reference {
  return { peer, name, url: `https://github.com/advisories/GHSA-${ghsa}` }
}

/** Returns a vulnerability that Django announced on this day. */
export function announcement(name: string, day: string): Reference {
  return { peer: 'Django', name, url: `https://www.djangoproject.com/weblog/${day}/` }
}

/** Returns an issue on GitHub. */
export function issue(peer: string, repository: string, number: number): Reference {
  return { peer, name: `${repository}#${number}`, url: `https://github.com/${repository}/issues/${number}` }
}

/** Returns a pull request on GitHub. */
export function pull(peer: string, repository: string, number: number): Reference {
  return { peer, name: `${repository}#${number}`, url: `https://github.com/${repository}/pull/${number}` }
}

/** Tells whether opening a site with these options is refused; another failure is thrown on. */
export async function isRefused(open: Open, options: SiteOptions): Promise<boolean> {
  try {
    await open(options)
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'SESSION_GUARD_REFUSED') return true
    throw error
  }
}

/** Runs each attack three times: without the fault, with the fault, and against this plugin. */
export function show(t: Test, { name, exhibits }: Family): void {
  for (const { requirement, imitation: Imitation, attack } of exhibits) {
    t.test(`${name}: ${requirement}`, async (t) => {
      const on = async (makeSessions: MakeSessions): Promise<boolean> =>
        attack((options = {}) => new Site(t, makeSessions, options).start())
      t.equal(await on((site) => new PlainSessions(site)), false, 'the attack fails where the step is right')
      t.equal(await on((site) => new Imitation(site)), true, 'the attack succeeds where the step is wrong')
      t.equal(await on((site) => new GuardedSessions(site)), false, 'the attack fails against this plugin')
    })
  }
}
