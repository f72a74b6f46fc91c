import type { FastifyRequest } from 'fastify'
import { WebSocket } from 'ws'
import type { Family } from './exhibit.ts'
import { advisory } from './exhibit.ts'
import { PlainSessions } from './plain-sessions.ts'

class LooksForASchemeInAPath extends PlainSessions {
  protected override isAllowed(request: FastifyRequest): boolean {
    return request.url.startsWith('https:') ? super.isAllowed(request) : true
  }
}

class LooksAtFormsAlone extends PlainSessions {
  protected override isAllowed(request: FastifyRequest): boolean {
    const isForm = /^(multipart\/form-data|application\/x-www-form-urlencoded)/
    return isForm.test(request.headers['content-type'] ?? '') ? super.isAllowed(request) : true
  }
}

class BelievesACookieAndItsCopy extends PlainSessions {
  protected override isAllowed(request: FastifyRequest): boolean {
    const copy = this.cookieOf(request, '_csrf')
    return copy === undefined || request.method === 'GET'
      ? super.isAllowed(request)
      : copy === request.headers['x-csrf-token']
  }
}

class ForgetsWebSockets extends PlainSessions {
  protected override isAllowed(request: FastifyRequest): boolean {
    return request.method === 'GET' || super.isAllowed(request)
  }
}

const HOST = 'shop.example'

/** Headers of a browser for a page on a sibling subdomain, and for a page on another site. */
const SIBLING = { host: HOST, origin: 'https://blog.shop.example', 'sec-fetch-site': 'same-site' }
const ALIEN = { host: HOST, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }

export const crossOrigin: Family = {
  name: 'other origins',
  exhibits: [
    {
      requirement: 'a page on a sibling subdomain cannot send an unsafe request',
      references: [advisory('gorilla/csrf', 'CVE-2025-24358', 'rq77-p4h8-4crw')],
      fault: 'The origin was compared only if the URL of the request had a scheme, which it never has on a server.',
      closedBy: [15],
      imitation: LooksForASchemeInAPath,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/note', { forged: true }, SIBLING)
        return 'forged' in (await ann.note())
      },
    },
    {
      requirement: 'the content type of a request does not matter',
      references: [advisory('SvelteKit', 'CVE-2023-29003', '5p75-vc5g-8rv2')],
      fault: 'Only the two usual types of forms were checked, and a form can send text/plain too.',
      closedBy: [15],
      imitation: LooksAtFormsAlone,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        await ann.post('/note', '{"forged":"="}', { ...ALIEN, 'content-type': 'text/plain' })
        return 'forged' in (await ann.note())
      },
    },
    {
      requirement: 'a cookie that a sibling subdomain set lets no request in',
      references: [advisory('@fastify/csrf-protection', 'CVE-2023-27495', 'qrgf-9gpc-vrxw')],
      fault: 'A token was compared with a cookie, and a sibling could set that cookie to a token of its own.',
      closedBy: [15],
      imitation: BelievesACookieAndItsCopy,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        ann.jar.set('_csrf', 'tossed')
        await ann.post('/note', { forged: true }, { ...SIBLING, 'x-csrf-token': 'tossed' })
        return 'forged' in (await ann.note())
      },
    },
    {
      requirement: 'a page on another site cannot open a WebSocket in the name of its visitor',
      references: [advisory('python-engineio, under Flask-SocketIO', 'CVE-2019-13611', 'j3jp-gvr5-7hwq')],
      fault: 'The handshake of a WebSocket was let in from every origin, with the cookie of the victim.',
      closedBy: [15],
      imitation: ForgetsWebSockets,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const address = await site.listen()
        const cookie = `${site.cookieName}=${ann.cookie}`
        const heard = async (origin: string): Promise<string> => {
          const socket = new WebSocket(`ws://${address}/live`, { headers: { cookie }, origin })
          const answer = await new Promise<string>((resolve) => {
            socket.once('message', (text: Buffer) => resolve(text.toString()))
            socket.once('error', () => resolve('refused'))
          })
          socket.terminate()
          return answer
        }
        const own = await heard(`http://${address}`)
        if (own !== 'ann') throw new Error(`the site's own page should hear of ann, and heard ${own}`)
        return (await heard('https://evil.example')) === 'ann'
      },
    },
  ],
}
