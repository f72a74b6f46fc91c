import type { Family } from './exhibit.ts'
import { advisory } from './exhibit.ts'
import type { Saved } from './plain-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'

class RestoresAFreshDeadline extends PlainSessions {
  protected override parse(text: string): Saved {
    return { ...super.parse(text), usedAt: this.site.clock() }
  }
}

class TrustsTheCookiesLifetime extends PlainSessions {
  protected override isAlive(saved: Saved): boolean {
    return super.isAlive({ ...saved, startedAt: this.site.clock() })
  }
}

export const expiry: Family = {
  name: 'expiry',
  exhibits: [
    {
      requirement: 'a session that nobody used for its idle timeout is over',
      references: [advisory('@fastify/session', 'CVE-2024-35220', 'pj27-2xvp-4qxg')],
      fault: 'Loading a session computed its deadline anew, so no session was ever found expired.',
      closedBy: [8],
      imitation: RestoresAFreshDeadline,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        site.clock.advance('31m')
        return (await ann.me()) === 'ann'
      },
    },
    {
      requirement: 'a cookie that is sent after its lifetime opens nothing, however busy the session was',
      references: [advisory('aiohttp-session', 'CVE-2018-1000814', 'mr4x-c4v9-x729')],
      fault: "The end of a session was left to the cookie's lifetime, which a client need not respect.",
      closedBy: [8],
      imitation: TrustsTheCookiesLifetime,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        for (let visits = 0; visits < 35; visits += 1) {
          site.clock.advance('20m')
          await ann.must('ann')
        }
        site.clock.advance('21m')
        return (await ann.me()) === 'ann'
      },
    },
  ],
}
