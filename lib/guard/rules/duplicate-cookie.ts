import { locate } from '../read/show-value.ts'
import type { Rule } from './rule.ts'

export const duplicateCookie: Rule = {
  slug: 'duplicate-cookie',
  severity: { production: 'warning', development: 'warning' },
  phases: ['request'],
  silenceable: true,
  when: 'a request carries two session cookies of one name',
  why: 'Nothing tells which of them is the right one, so both are refused and the user is anonymous, until one is gone.',
  remedy: 'after a change of `cookie.domain` or `cookie.path`, another `cookie.name`',
  references: ['RFC 6265bis 8.6'],
  teach: `A browser keeps cookies apart by name, domain and path. A cookie that was set before cookie.domain or cookie.path changed stays
beside the new one, and both are sent. A sibling subdomain can set such a cookie too, to log its victims out or in as somebody else.
The response clears each one that this configuration would not set, so that the next request has a single cookie. Change the name
together with the domain, or use a __Host- name, which no other host and no other path can set.`,
  examples: {
    wrong: {
      shown:
        "cookie: { name: '__Secure-shop' } yesterday, cookie: { name: '__Secure-shop', domain: 'shop.example' } today",
      options: '',
      request: { sessionCookies: 2 },
    },
    right: {
      shown: "cookie: { name: '__Secure-shop-wide', domain: 'shop.example' }",
      options: '',
      request: { sessionCookies: 1 },
    },
  },
  onRequest: ({ sessionCookies }, facts) =>
    sessionCookies < 2
      ? []
      : [
          {
            at: [
              facts.at(['cookie', 'name'], facts.cookie.name),
              { ...locate([], `${sessionCookies} of this name`), path: 'Cookie' },
            ],
            message: `a browser sent ${sessionCookies} session cookies of one name, and none of them counts`,
            text: 'Was cookie.domain or cookie.path changed? Responses clear what the old settings left behind. Another cookie.name avoids the clash.',
          },
        ],
}
