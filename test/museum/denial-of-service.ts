import type { Client } from './client.ts'
import type { Family } from './exhibit.ts'
import { announcement, issue } from './exhibit.ts'
import { PlainSessions, PlainVisit } from './plain-sessions.ts'
import type { Site } from './site.ts'

class SavesUnknownIds extends PlainSessions {
  protected override async load(value: string | undefined): Promise<PlainVisit> {
    const visit = await super.load(value)
    if (value === undefined || visit.id !== undefined) return visit
    this.renew(visit)
    await this.keep(visit)
    return visit
  }
}

class LogoutSavesAnEmptySession extends PlainSessions {
  override async logout(visit: PlainVisit): Promise<void> {
    await super.logout(visit)
    this.renew(visit)
    await this.keep(visit)
  }
}

class GoesOnWithoutAStore extends PlainSessions {
  protected override load(value: string | undefined): Promise<PlainVisit> {
    return super.load(value).catch(() => new PlainVisit(this))
  }

  protected override finish(visit: PlainVisit): Promise<void> {
    return super.finish(visit).catch(() => undefined)
  }
}

/** Sends a request twenty times, each from a client of its own, and counts the records that they left. */
async function recordsAfter(site: Site, send: (client: Client, turn: number) => Promise<unknown>): Promise<number> {
  const before = site.store.created
  for (let turn = 0; turn < 20; turn += 1) await send(site.client(), turn)
  return site.store.created - before
}

export const denialOfService: Family = {
  name: 'denial of service and outages',
  exhibits: [
    {
      requirement: 'a request with an unknown id leaves no record',
      references: [announcement('CVE-2015-5143', '2015/jul/08/security-releases')],
      fault: 'Each request with an id that nobody knew made an empty record, until the store was full.',
      closedBy: [1],
      imitation: SavesUnknownIds,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const count = await recordsAfter(site, (client, turn) => {
          client.cookie = turn % 2 === 0 ? `unknown-${turn}` : `${ann.cookie.slice(0, -3)}${100 + turn}`
          return client.me()
        })
        return count > 0
      },
    },
    {
      requirement: 'a logout of nobody leaves no record',
      references: [
        announcement('CVE-2015-5963', '2015/aug/18/security-releases'),
        announcement('CVE-2015-5964', '2015/aug/18/security-releases'),
      ],
      fault: 'Each logout made an empty session in the place of the old one, also for visitors without a session.',
      closedBy: { guide: 'Log out', link: '../../lib/session/README.md#log-out' },
      imitation: LogoutSavesAnEmptySession,
      async attack(open) {
        const site = await open()
        await site.loggedIn('ann')
        return (await recordsAfter(site, (client) => client.post('/logout'))) > 0
      },
    },
    {
      requirement: 'a user is not taken for an anonymous visitor while the store is down',
      references: [
        issue('express-session', 'expressjs/session', 4),
        issue('express-session', 'expressjs/session', 216),
      ],
      fault: 'While the store was unreachable, the app went on and met requests that had no session at all.',
      closedBy: [11],
      imitation: GoesOnWithoutAStore,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        site.store.isDown = true
        const { statusCode } = await ann.get('/me')
        site.store.isDown = false
        await ann.must('ann')
        return statusCode === 200
      },
    },
  ],
}
