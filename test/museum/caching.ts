import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer, Client } from './client.ts'
import type { Family } from './exhibit.ts'
import { advisory, announcement } from './exhibit.ts'
import type { PlainVisit } from './plain-sessions.ts'
import { PlainSessions } from './plain-sessions.ts'

class RefreshesWithoutAWord extends PlainSessions {
  protected override answer(visit: PlainVisit, reply: FastifyReply, request: FastifyRequest): void {
    super.answer(visit, reply, request)
    if (!visit.isRead) reply.removeHeader('cache-control')
  }
}

class LeavesPublicAlone extends PlainSessions {
  protected override answer(visit: PlainVisit, reply: FastifyReply, request: FastifyRequest): void {
    const { 'cache-control': own } = reply.getHeaders()
    super.answer(visit, reply, request)
    if (own !== undefined) reply.header('cache-control', own)
  }
}

class ForgetsToVary extends PlainSessions {
  protected override answer(visit: PlainVisit, reply: FastifyReply, request: FastifyRequest): void {
    super.answer(visit, reply, request)
    reply.removeHeader('vary')
  }
}

/** A shared cache that stores what it may (RFC 9111, 3) and keeps Set-Cookie lines with the response. */
class SharedCache {
  readonly #kept = new Map<string, Answer>()

  async get(client: Client, url: string): Promise<Answer> {
    const kept = this.#kept.get(url) ?? this.#kept.get(`${url} ${client.cookie}`)
    if (kept !== undefined) {
      client.jar.take(kept.headers['set-cookie'], 0)
      return kept
    }
    const answer = await client.get(url)
    const isPrivate = /no-store|private/.test(String(answer.headers['cache-control']))
    const varies = /cookie/i.test(String(answer.headers.vary))
    if (!isPrivate) this.#kept.set(varies ? `${url} ${client.cookie}` : url, answer)
    return answer
  }
}

/** Throws unless the response refreshes the cookie: otherwise there is nothing to steal. */
function mustSetACookie({ headers }: Answer): void {
  if (headers['set-cookie'] === undefined) throw new Error('the response should have refreshed the cookie')
}

const CACHES = { guide: 'Caches', link: '../../lib/session/README.md#caches' } as const

export const caching: Family = {
  name: 'caching',
  exhibits: [
    {
      requirement: 'a shared cache never hands out a refreshed cookie',
      references: [advisory('Flask', 'CVE-2023-30861', 'm2qf-hxjv-5gpq')],
      fault: 'A refreshed cookie went out with a page that had not used the session, without a word to caches.',
      closedBy: CACHES,
      imitation: RefreshesWithoutAWord,
      async attack(open) {
        const site = await open()
        const cache = new SharedCache()
        const ann = await site.loggedIn('ann')
        site.clock.advance('16m')
        mustSetACookie(await cache.get(ann, '/plain'))
        const mallory = site.client()
        await cache.get(mallory, '/plain')
        await ann.must('ann')
        return (await mallory.me()) === 'ann'
      },
    },
    {
      requirement: 'a page that calls itself public is not stored together with a cookie',
      references: [advisory('Rails', 'CVE-2024-26144', '8h22-8cf7-hq6g')],
      fault: 'Files went out with Cache-Control: public and with the cookie of the session.',
      closedBy: CACHES,
      imitation: LeavesPublicAlone,
      async attack(open) {
        const site = await open()
        const cache = new SharedCache()
        const ann = await site.loggedIn('ann')
        site.clock.advance('16m')
        mustSetACookie(await cache.get(ann, '/picture'))
        const mallory = site.client()
        await cache.get(mallory, '/picture')
        await ann.must('ann')
        return (await mallory.me()) === 'ann'
      },
    },
    {
      requirement: 'a page that depends on the session tells caches so',
      references: [announcement('CVE-2014-1418', '2014/may/14/security-releases-issued')],
      fault: "Responses to some browsers lost Vary: Cookie, so a cache served one user's page to another.",
      closedBy: CACHES,
      imitation: ForgetsToVary,
      async attack(open) {
        const site = await open()
        const cache = new SharedCache()
        const ann = await site.loggedIn('ann')
        const page = await cache.get(ann, '/me')
        if (page.json<{ user: unknown }>().user !== 'ann') throw new Error('the page should show its user')
        return (await cache.get(site.client(), '/me')).body.includes('ann')
      },
    },
  ],
}
