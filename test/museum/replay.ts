import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CookieSessions } from './cookie-sessions.ts'
import type { Family } from './exhibit.ts'
import { advisory, announcement, issue } from './exhibit.ts'
import type { Saved } from './plain-sessions.ts'
import { PlainSessions, PlainVisit } from './plain-sessions.ts'

class LogoutForgetsToSave extends PlainSessions {
  override async logout(visit: PlainVisit): Promise<void> {
    visit.saved = this.empty()
  }
}

class ListenersGoFirst extends PlainSessions {
  override async logout(visit: PlainVisit): Promise<void> {
    this.tell()
    await this.shelf.delete(this.keyOf(visit.id ?? ''))
    this.forgetVisit(visit)
  }
}

class LogoutLeavesAnEmptyKey extends PlainSessions {
  override async logout(visit: PlainVisit): Promise<void> {
    await super.logout(visit)
    visit.id = ''
    await this.keep(visit)
  }

  protected override unseal(purpose: string, value: string): string | undefined {
    return value === '' ? '' : super.unseal(purpose, value)
  }
}

class OldPasswordsAreGood extends PlainSessions {
  protected override isAlive(saved: Saved): boolean {
    return super.isAlive({ ...saved, password: this.site.passwords.get(saved.user ?? '') })
  }
}

class AnswersFromACookie extends PlainSessions {
  override visitOf(request: FastifyRequest): PlainVisit {
    const value = this.cookieOf(request, 'session_data')
    const text = value === undefined ? undefined : this.unseal('cache', value)
    const [user, until] = text?.split(':') ?? []
    if (user === undefined || Number(until) < this.site.clock()) return super.visitOf(request)
    return new PlainVisit(this, randomBytes(4).toString('hex'), { ...this.empty(), user })
  }

  protected override answer(visit: PlainVisit, reply: FastifyReply, request: FastifyRequest): void {
    super.answer(visit, reply, request)
    const { user } = visit.saved
    if (user === null) return
    const data = this.seal('cache', `${user}:${this.site.clock() + 5 * 60_000}`)
    reply.header('set-cookie', `session_data=${data}; Path=/; Secure; HttpOnly`)
  }
}

export const replay: Family = {
  name: 'replay after logout',
  exhibits: [
    {
      requirement: 'a cookie that was copied before a logout opens nothing after the logout',
      references: [
        advisory('@fastify/secure-session', 'CVE-2024-31999', '9wwp-q7wq-jx35'),
        issue('iron-session', 'vvo/iron-session', 530),
      ],
      fault: 'The session lived in the cookie alone, so a logout could only ask the browser to forget it.',
      closedBy: [5],
      imitation: CookieSessions,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const stolen = ann.copy()
        await ann.post('/logout')
        await ann.must(null)
        return (await stolen.me()) === 'ann'
      },
    },
    {
      requirement: 'a logout reaches the store',
      references: [advisory('Spring Security', 'CVE-2023-20862', 'x873-6rgc-94jc')],
      fault: 'A logout emptied the session in memory, and the empty session was never saved.',
      closedBy: [5],
      imitation: LogoutForgetsToSave,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/logout')
        return (await ann.me()) === 'ann'
      },
    },
    {
      requirement: 'a listener that throws does not keep a session alive through its logout',
      references: [advisory('Jetty', 'CVE-2021-34428', 'm6cp-vxjx-65j6')],
      fault: 'An exception in a listener for ended sessions left the id valid.',
      closedBy: [5],
      imitation: ListenersGoFirst,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const stolen = ann.copy()
        site.sessions.onLogout(() => {
          throw new Error('the audit log is full')
        })
        await ann.post('/logout')
        return (await stolen.me()) === 'ann'
      },
    },
    {
      requirement: "data that a request writes after its logout is in nobody else's reach",
      references: [announcement('CVE-2015-3982', '2015/may/20/security-release')],
      fault: 'A logout left the session under an empty key, which an empty cookie opened for everybody.',
      closedBy: [1, 5],
      imitation: LogoutLeavesAnEmptyKey,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/logout-then-note', { feedback: 'private' })
        const mallory = site.client()
        return 'feedback' in (await mallory.note({ cookie: `${site.cookieName}=` }))
      },
    },
    {
      requirement: 'a changed password ends the sessions of the old password',
      references: [
        {
          peer: 'Apache Airflow, on Flask',
          name: 'CVE-2023-40273',
          url: 'https://www.openwall.com/lists/oss-security/2023/08/23/1',
        },
        issue('koa-session', 'koajs/session', 113),
      ],
      fault: 'A reset password left every session of the user open until its own end.',
      closedBy: [9],
      imitation: OldPasswordsAreGood,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const stolen = ann.copy()
        site.passwords.set('ann', 'battery staple')
        site.clock.advance('2m')
        return (await stolen.me()) === 'ann'
      },
    },
    {
      requirement: 'a revoked session is over at its next request',
      references: [issue('better-auth', 'better-auth/better-auth', 6893)],
      fault: 'A signed copy of the session in a second cookie answered for minutes after the session was revoked.',
      closedBy: [6],
      imitation: AnswersFromACookie,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await site.sessions.revoke('ann')
        return (await ann.me()) === 'ann'
      },
    },
  ],
}
