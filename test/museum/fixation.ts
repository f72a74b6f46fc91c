import type { FastifyRequest } from 'fastify'
import type { Family } from './exhibit.ts'
import { advisory } from './exhibit.ts'
import type { PlainVisit, Saved } from './plain-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'

class LoginKeepsTheId extends PlainSessions {
  override async login(visit: PlainVisit, user: string): Promise<void> {
    if (visit.id === undefined) this.renew(visit)
    visit.saved = { ...visit.saved, user, password: this.site.passwords.get(user) }
    await this.keep(visit)
  }
}

class LoginKeepsTheToken extends PlainSessions {
  override async login(visit: PlainVisit, user: string): Promise<void> {
    const { data } = visit.saved
    await super.login(visit, user)
    visit.saved.data = data
    await this.keep(visit)
  }
}

class AdoptsUnknownIds extends PlainSessions {
  protected override unseal(_purpose: string, value: string): string {
    return value
  }

  protected override async find(id: string): Promise<Saved> {
    return (await super.find(id)) ?? this.empty()
  }

  protected override async finish(visit: PlainVisit): Promise<void> {
    if (visit.id !== undefined) await this.keep(visit)
    await super.finish(visit)
  }
}

class ReadsIdsInUrls extends PlainSessions {
  override cookieOf(request: FastifyRequest, name: string): string | undefined {
    return (request.query as { session_id?: string }).session_id ?? super.cookieOf(request, name)
  }
}

export const fixation: Family = {
  name: 'fixation',
  exhibits: [
    {
      requirement: 'an id that somebody knew before a login opens nothing after the login',
      references: [
        advisory('@fastify/passport', 'CVE-2023-29019', '4m3m-ppvx-xgw9'),
        advisory('passport', 'CVE-2022-25896', 'v923-w3x8-wh69'),
      ],
      fault: 'A login wrote the user into the session that the browser already had, and the id stayed the same.',
      closedBy: [3],
      imitation: LoginKeepsTheId,
      async attack(open) {
        const site = await open()
        const mallory = site.client()
        await mallory.post('/note', { planted: true })
        const victim = site.client()
        victim.cookie = mallory.cookie
        await victim.login('ann')
        await victim.must('ann')
        return (await mallory.me()) === 'ann'
      },
    },
    {
      requirement: 'a token against forged requests from before the login is refused after the login',
      references: [advisory('@fastify/passport', 'CVE-2023-29020', '2ccf-ffrj-m4qw')],
      fault: 'A login kept all data of the anonymous session, so its token against forged requests stayed good.',
      closedBy: [3],
      imitation: LoginKeepsTheToken,
      async attack(open) {
        const site = await open()
        const mallory = site.client()
        const { token } = (await mallory.get('/form')).json<{ token: string }>()
        const victim = site.client()
        victim.cookie = mallory.cookie
        await victim.login('ann')
        await victim.must('ann')
        return (await victim.post('/transfer', { token })).statusCode === 200
      },
    },
    {
      requirement: 'an id that the client chose is never adopted',
      references: [advisory('aiohttp-session', 'CVE-2018-1000519', 'fpwp-69xv-c67f')],
      fault: 'An id that the store did not know became the id of a new session.',
      closedBy: [1],
      imitation: AdoptsUnknownIds,
      async attack(open) {
        const site = await open()
        const [victim, mallory] = [site.client(), site.client()]
        victim.cookie = mallory.cookie = 'chosen-by-mallory'
        await victim.post('/note', { address: '1 Main Street' })
        mallory.cookie = 'chosen-by-mallory'
        return 'address' in (await mallory.note())
      },
    },
    {
      requirement: 'an id in a URL opens nothing',
      references: [
        advisory('Rails', 'CVE-2007-5380', 'jwhv-rgqc-fqj5'),
        advisory('Rails', 'CVE-2007-6077', 'p4c6-77gc-694x'),
      ],
      fault: 'A session id was taken from the URL too, so a link put its reader into the session of its author.',
      closedBy: [1],
      imitation: ReadsIdsInUrls,
      async attack(open) {
        const site = await open()
        const mallory = await site.loggedIn('mallory')
        const link = `?session_id=${mallory.cookie}`
        await site.client().post(`/note${link}`, { card: '4000 0000' })
        return 'card' in (await mallory.note())
      },
    },
  ],
}
