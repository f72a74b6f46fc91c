import type { FastifyRequest } from 'fastify'
import { parseSetCookie } from '../support/jar.ts'
import type { Client } from './client.ts'
import type { Exhibit, Family, Open } from './exhibit.ts'
import { advisory, announcement, isRefused } from './exhibit.ts'
import { PlainSessions } from './plain-sessions.ts'
import type { Site } from './site.ts'

/** Reads a header by a rule of its own: the pairs that the header has, and the name that a pair has. */
abstract class ReadsCookiesDifferently extends PlainSessions {
  protected split(header: string): string[] {
    return header.split(';')
  }

  protected nameOf(name: string): string {
    return name
  }

  override cookieOf(request: FastifyRequest, name: string): string | undefined {
    const pairs = this.split(request.headers.cookie ?? '').map((pair) => pair.trim())
    const found = pairs.find((pair) => this.nameOf(pair.slice(0, pair.indexOf('='))) === name)
    return found?.slice(found.indexOf('=') + 1)
  }
}

class DecodesNames extends ReadsCookiesDifferently {
  protected override nameOf(name: string): string {
    return decodeURIComponent(name)
  }
}

class DropsALeadingEquals extends ReadsCookiesDifferently {
  protected override split(header: string): string[] {
    return super.split(header).map((pair) => pair.trim().replace(/^=/, ''))
  }
}

class MakesNamesIntoVariables extends ReadsCookiesDifferently {
  protected override nameOf(name: string): string {
    return name.replaceAll(/[ .[]/g, '_')
  }
}

class ReadsOnInsideQuotes extends ReadsCookiesDifferently {
  protected override split(header: string): string[] {
    return Array.from(header.matchAll(/[^;="]+=(?:"[^"]*"|[^;]*)/g), ([pair]) => pair)
  }
}

class SplitsAtBrackets extends ReadsCookiesDifferently {
  protected override split(header: string): string[] {
    return header.split(/[;\]]/)
  }
}

class CopiesOptionsIntoTheLine extends PlainSessions {
  protected override checkOptions(): void {}
}

/** Sends the victim's browser with a cookie that a sibling subdomain planted, and looks whose account receives data. */
function plant(cookieWith: (name: string, value: string) => string): Exhibit['attack'] {
  return async (open: Open): Promise<boolean> => {
    const site: Site = await open()
    const mallory: Client = await site.loggedIn('mallory')
    const cookie = cookieWith(site.cookieName, mallory.cookie)
    await site.client().post('/note', { card: '4000 0000' }, { cookie })
    return 'card' in (await mallory.note())
  }
}

export const cookieTossing: Family = {
  name: 'cookie tossing',
  exhibits: [
    {
      requirement: 'a name with percent signs is not a name with a prefix',
      references: [advisory('rack', 'CVE-2020-8184', 'j6w9-fv6q-3q52')],
      fault: 'Names of cookies were decoded, so a sibling could send a name that its browser does not protect.',
      closedBy: [14],
      imitation: DecodesNames,
      attack: plant((name, value) => `${name.replaceAll('_', '%5F')}=${value}`),
    },
    {
      requirement: 'a cookie without a name is not a cookie with a prefix',
      references: [advisory('Werkzeug, under Flask', 'CVE-2023-23934', 'px8h-6qxv-m22q')],
      fault: 'A cookie without a name was read as if its value were a name and a value.',
      closedBy: [14],
      imitation: DropsALeadingEquals,
      attack: plant((name, value) => `=${name}=${value}`),
    },
    {
      requirement: 'a name with dots is not a name with a prefix',
      references: [
        advisory('PHP', 'CVE-2022-31629', 'c43m-486j-j32p'),
        {
          peer: 'PHP',
          name: 'CVE-2024-2756',
          url: 'https://github.com/php/php-src/security/advisories/GHSA-wpj3-hf5j-x4v4',
        },
      ],
      fault: 'Dots and brackets in names became underscores, so an unprotected name turned into a __Host- name.',
      closedBy: [14],
      imitation: MakesNamesIntoVariables,
      attack: plant((name, value) => `${name.replace('__', '..')}=${value}`),
    },
    {
      requirement: 'the value of one cookie cannot contain another cookie',
      references: [announcement('CVE-2016-7401', '2016/sep/26/security-releases')],
      fault: 'The parser found a second cookie inside the value of the first, which a link to the site had set.',
      closedBy: [14],
      imitation: SplitsAtBrackets,
      attack: plant((name, value) => `campaign=[summer]${name}=${value}`),
    },
    {
      requirement: 'a quotation mark does not pull the session cookie into a cookie that a page shows',
      references: [advisory('Jetty', 'CVE-2023-26049', 'p26g-97m4-6q7c')],
      fault: 'A value that began with a quotation mark went on through semicolons and swallowed the cookies after it.',
      closedBy: [12],
      imitation: ReadsOnInsideQuotes,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const cookie = `lang="b; ${site.cookieName}=${ann.cookie}; c=d"`
        return (await ann.get('/lang', { cookie })).body.includes(ann.cookie)
      },
    },
    {
      requirement: 'an option of the cookie cannot add attributes to the cookie',
      references: [advisory('cookie', 'CVE-2024-47764', 'pxg6-pf52-xh8x')],
      fault: 'Name, path and domain were copied into the line as they were, with semicolons and all.',
      closedBy: [13],
      imitation: CopiesOptionsIntoTheLine,
      async attack(open) {
        const options = { cookie: { name: 'session', path: '/tenant; Domain=example.com' } }
        if (await isRefused(open, options)) return false
        const site = await open(options)
        const { headers } = await site.client().login('ann')
        return [headers['set-cookie'] ?? []].flat().some((line) => parseSetCookie(line).attributes.has('domain'))
      },
    },
  ],
}
