import { locate, show } from '../print.ts'
import type { Rule } from '../rule.ts'

export const duplicatePlugin: Rule = {
  slug: 'duplicate-plugin',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'ready'],
  silenceable: false,
  when: '`request.session` is decorated already, or another plugin sets a cookie of the same name',
  why: 'Two session plugins write over each other: which session a request gets depends on the order they ran in.',
  remedy: 'remove one, or rename the cookie',
  references: [],
  teach: `request.session can belong to one plugin only, and a browser keeps one cookie of a name for a host and path. Where two plugins share either,
each reads what the other wrote, takes it for forged, and logs the user out.`,
  examples: {
    wrong: { options: '', context: { sessionDecorated: true } },
    right: { options: '', context: { sessionDecorated: false } },
  },
  onConfig: (facts) => {
    const { sessionDecorated, cookieNames = [] } = facts.context
    const { name } = facts.cookie
    const isNameTaken = name !== undefined && cookieNames.includes(name)
    return [
      ...(sessionDecorated === true
        ? [
            {
              at: [{ ...locate([], 'decorated already'), path: 'request.session' }],
              message: 'request.session is decorated already: another session plugin was registered before',
              text: 'Remove the other session plugin, or register this one once, at the root.',
            },
          ]
        : []),
      ...(isNameTaken
        ? [
            {
              at: [facts.at(['cookie', 'name'], name)],
              message: `another plugin sets a cookie named ${show(name)} too`,
              text: 'Give one of the two cookies another name.',
              snippet: "cookie: { name: '__Host-app-session' }",
            },
          ]
        : []),
    ]
  },
}

export const crossOriginOff: Rule = {
  slug: 'cross-origin-off',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: '`crossOriginProtection` is `false`',
  why: 'Any page on the web can then send requests that change something, and the browser attaches the session.',
  remedy: 'turn it on',
  references: ['OWASP ASVS 5.0 3.5.1'],
  teach: `A form on another site posts to yours, and the browser sends the session cookie along wherever SameSite lets it. The protection looks at
what browsers say about the origin of the request (Sec-Fetch-Site, Origin) and refuses the foreign ones; requests that do not come
from a browser pass. Let single origins in with trustedOrigins, or single routes with config: { crossOriginProtection: false }.`,
  examples: {
    wrong: { options: 'crossOriginProtection: false' },
    right: { options: "trustedOrigins: ['https://partner.example']" },
  },
  onConfig: (facts) => {
    if (facts.options.crossOriginProtection !== false) return []
    return [
      {
        at: [facts.at(['crossOriginProtection'])],
        message: 'other sites can send requests in the name of your users',
        text: 'Remove it; list the origins that may in trustedOrigins.',
        snippet: 'crossOriginProtection: true',
      },
    ]
  },
}
