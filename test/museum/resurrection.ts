import type { Family } from './exhibit.ts'
import { advisory, issue, pull } from './exhibit.ts'
import { PlainSessions, PlainVisit } from './plain-sessions.ts'
import type { Saved } from './plain-sessions.ts'

class WritesWhatIsGone extends PlainSessions {
  protected override async finish(visit: PlainVisit): Promise<void> {
    const isChanged = visit.changed.size > 0
    if (visit.id !== undefined && isChanged) return this.keep(visit)
    await super.finish(visit)
  }
}

class TouchWritesEverything extends PlainSessions {
  protected override async finish(visit: PlainVisit): Promise<void> {
    const isTouched = visit.id !== undefined && visit.changed.size === 0
    if (!isTouched) return super.finish(visit)
    visit.saved.usedAt = this.site.clock()
    await this.keep(visit)
  }
}

class WritesTheWholeCopy extends PlainSessions {
  protected override async finish(visit: PlainVisit): Promise<void> {
    if (visit.id !== undefined && (await this.find(visit.id)) !== undefined) return this.keep(visit)
    await super.finish(visit)
  }
}

class RegeneratesByAge extends PlainSessions {
  protected override async load(value: string | undefined): Promise<PlainVisit> {
    const visit = await super.load(value)
    const { id, saved } = visit
    if (id === undefined) return value === undefined ? visit : this.started(new PlainVisit(this))
    if (this.site.clock() < saved.startedAt + 15 * 60_000) return visit
    await this.shelf.delete(this.keyOf(id))
    return this.started(new PlainVisit(this, id, { ...saved, startedAt: this.site.clock() }))
  }

  async started(visit: PlainVisit): Promise<PlainVisit> {
    this.renew(visit)
    await this.keep(visit)
    return visit
  }
}

class AnswersBeforeTheStore extends PlainSessions {
  protected override async keep(visit: PlainVisit): Promise<void> {
    void super.keep(visit)
  }

  override async login(visit: PlainVisit, user: string): Promise<void> {
    this.renew(visit)
    const saved: Saved = { ...this.empty(), user, password: this.site.passwords.get(user) }
    visit.saved = saved
    await this.keep(visit)
  }

  protected override async finish(visit: PlainVisit): Promise<void> {
    if (visit.cookie === undefined) await super.finish(visit)
  }
}

/** Waits enough turns of the event loop for a response that waits for nothing. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => void setImmediate(resolve))
}

export const resurrection: Family = {
  name: 'resurrection and races',
  exhibits: [
    {
      requirement: 'a request that was under way during a logout does not bring the session back',
      references: [
        advisory('rack-session', 'CVE-2025-46336', '9j94-67jr-4cqj'),
        advisory('rack', 'CVE-2025-32441', 'vpfw-47h7-xj4g'),
        issue('express-session', 'expressjs/session', 632),
        issue('connect-redis', 'tj/connect-redis', 328),
        issue('redistore for gorilla', 'boj/redistore', 2),
      ],
      fault: 'A slow request saved its copy of the session when it ended, whether or not the session still existed.',
      closedBy: [5],
      imitation: WritesWhatIsGone,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const stolen = ann.copy()
        site.meanwhile = () => ann.post('/logout')
        await stolen.copy().post('/late', { late: true })
        return (await stolen.me()) === 'ann'
      },
    },
    {
      requirement: 'a touch at the end of a long poll does not undo a logout',
      references: [pull('session-file-store', 'valery-barysok/session-file-store', 55)],
      fault: 'A touch wrote back the data that the request had read at its start.',
      closedBy: [5],
      imitation: TouchWritesEverything,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const stolen = ann.copy()
        site.clock.advance('5m')
        site.meanwhile = () => ann.post('/logout')
        await stolen.copy().get('/poll')
        return (await stolen.me()) === 'ann'
      },
    },
    {
      requirement: 'a request that changes one key does not bring back what another request removed',
      references: [
        issue('@fastify/session', 'SerayaEryn/fastify-session', 237),
        pull('tower-sessions', 'maxcountryman/tower-sessions', 36),
      ],
      fault: 'Each request wrote the whole session as it had read it, so the last one undid the changes of the others.',
      closedBy: { guide: 'Session data', link: '../../lib/session/README.md#session-data' },
      imitation: WritesTheWholeCopy,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/note', { role: 'admin' })
        site.meanwhile = () => ann.copy().post('/forget', { key: 'role' })
        await ann.post('/late', { theme: 'dark' })
        const note = await ann.note()
        if (note['theme'] !== 'dark') throw new Error('the slow request should have changed its own key')
        return 'role' in note
      },
    },
    {
      requirement: 'two requests with the same old id leave the browser logged in after a renewal',
      references: [issue('express-session', 'expressjs/session', 923)],
      fault:
        'A regenerated id killed the old id at once, and a parallel request with the old id replaced the new cookie.',
      closedBy: [9],
      imitation: RegeneratesByAge,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        site.clock.advance('16m')
        const tab = ann.copy()
        await ann.get('/note')
        const late = await tab.get('/note')
        ann.jar.take(late.headers['set-cookie'], site.clock())
        return (await ann.me()) !== 'ann'
      },
    },
    {
      requirement: 'the response to a login is sent after the store has the login',
      references: [issue('express-session', 'expressjs/session', 309)],
      fault: 'A redirect after the login reached the browser before the session was saved.',
      closedBy: [4],
      imitation: AnswersBeforeTheStore,
      async attack(open) {
        const site = await open()
        await site.loggedIn('bob')
        const held = site.store.hold()
        let isTold = false
        const login = site.client().login('ann')
        const told = login.then(() => (isTold = true))
        await held.arrived
        await turns()
        const wasTold = isTold
        held.release()
        await told
        return wasTold
      },
    },
  ],
}
