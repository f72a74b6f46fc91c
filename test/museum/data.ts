import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Family } from './exhibit.ts'
import { advisory } from './exhibit.ts'
import type { Saved } from './plain-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'

class WritesNamesAsTheyAre extends PlainSessions {
  protected override format({ data, ...rest }: Saved): string {
    const pairs = Object.entries({ ...rest, ...data })
    return pairs.map(([name, value]) => `${name}|${JSON.stringify(value) ?? 'null'};`).join('')
  }

  protected override parse(text: string): Saved {
    const { user, password, startedAt, usedAt, ...data } = Object.fromEntries(
      Array.from(text.matchAll(/([^|;]+)\|([^;]*);/g), ([, name, value]) => [name, JSON.parse(value ?? '') as unknown]),
    )
    return { user, password: password ?? undefined, startedAt, usedAt, data }
  }
}

class ReadsFilesByTheirId extends PlainSessions {
  protected override unseal(purpose: string, value: string): string {
    return super.unseal(purpose, value) ?? value
  }

  protected override async find(id: string): Promise<Saved | undefined> {
    const file = join(this.site.folder, `${id}.session`)
    const text = await readFile(file, 'utf8').catch(() => undefined)
    return text === undefined ? super.find(id) : this.parse(text)
  }
}

export const data: Family = {
  name: 'data',
  exhibits: [
    {
      requirement: 'a key of the session data cannot say who is logged in',
      references: [{ peer: 'PHP', name: 'CVE-2010-3065', url: 'https://nvd.nist.gov/vuln/detail/CVE-2010-3065' }],
      fault: 'A mark with a meaning was not refused in names of variables, so one name could change another variable.',
      closedBy: [10],
      imitation: WritesNamesAsTheyAre,
      async attack(open) {
        const site = await open()
        const mallory = await site.loggedIn('mallory')
        await mallory.post('/note', { 'theme|1;user': 'admin' })
        const note = await mallory.note()
        if (Object.keys(note).length === 0) throw new Error('the note should have been kept')
        return (await mallory.me()) === 'admin'
      },
    },
    {
      requirement: 'the value of a cookie never becomes a path',
      references: [
        advisory('Tomcat', 'CVE-2020-9484', '344f-f5vg-2jfj'),
        advisory('go-macaron/session, in Gitea', 'CVE-2018-18926', 'hf6f-jq25-8gq9'),
      ],
      fault: 'The id was made into the name of a file, so dots and slashes reached a file that a user had uploaded.',
      closedBy: [1],
      imitation: ReadsFilesByTheirId,
      async attack(open) {
        const site = await open()
        const now = site.clock()
        const saved: Saved = { user: 'admin', password: undefined, data: {}, startedAt: now, usedAt: now }
        const mallory = await site.loggedIn('mallory')
        await mallory.post('/upload', { name: 'cat.session', text: JSON.stringify(saved) })
        mallory.cookie = '../uploads/cat'
        return (await mallory.me()) === 'admin'
      },
    },
  ],
}
