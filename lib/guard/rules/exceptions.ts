import type { Rule } from './rule.ts'

/** The case in which another choice is right, by the slug of the rule, for rules that do not say it themselves. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'secure-required':
    'A machine in a laboratory that browsers reach over http alone, on a wire that nobody shares: silence this with that reason, and a date.',
  'secure-auto':
    "Development needs no exception: 'auto' is the default there. In production one process serves https, or a proxy does.",
  'tls-unproven': 'There is no exception: say which of the two it is, and the warning is gone.',
  'httponly-disabled': 'No page needs it. A script that wants to know who is logged in asks a route such as GET /me.',
  'samesite-none-exposed':
    'An API that takes its token in a header of its own, and cookies nowhere, cannot be attacked like this.',
  'partitioned-without-none': 'There is none: the two attributes contradict each other.',
  'trust-proxy-missing':
    'A client may send the header itself, to an app without a proxy: silence this where the port is open to everybody.',
  'trust-proxy-hop-count': 'An app that asks neither for the protocol nor for the host may keep the number.',
  'trust-proxy-all':
    'Where only the router of a platform reaches the process (Heroku, Fly, Render), true is right: silence this with that reason.',
  'plain-http-in-production': 'A network of your own where every machine is trusted: silence this with that reason.',
  'prefix-case': 'There is none: nothing is gained by another case.',
  'prefix-missing':
    'A live app whose users should stay logged in: silence this until the day on which the last old session has ended.',
  'cookie-name-fingerprint': 'Another service or a proxy that looks for this very name.',
  'domain-local': 'There is none: without cookie.domain, the cookie works on localhost and on an address too.',
  'domain-wide': 'One login for several hosts below a domain, all of them yours: name them in the reason.',
  'path-narrow': 'Two apps on one host, which trust each other: silence this, and give each cookie a name of its own.',
  'idle-too-long':
    'Users on devices of their own who lose nothing to a finder. remember is mostly the better way: it asks each user.',
  'absolute-too-long':
    'A screen on a wall that shows, and changes nothing. Below aal3 this can be silenced with that reason.',
  'remember-too-long': 'There is none: no browser keeps the cookie for longer.',
  'renewal-off': 'A client that keeps no cookies and sends a fixed one. Give such a client a token of its own instead.',
  'device-bound-lifetime':
    'A test that waits for the end of the cookie in a browser whose refresh quota is off: silence this with that reason.',
  'device-bound-header':
    'There is none: leave out headerTransport, or take deviceBound: true, which refuses nobody by itself.',
  'device-bound-blocked':
    'A plugin that answers the probe alone and lets browsers pass: silence this with that reason.',
  'sudo-missing': 'An app in which nothing can be changed, or another service changes it and asks for itself.',
  'secret-short': 'There is none in production. A test may use any text: NODE_ENV=test makes this a warning.',
  'secret-low-entropy': 'There is none in production. A test may use any text: NODE_ENV=test makes this a warning.',
  'secret-placeholder':
    'A generated secret that holds a word by chance, or the name of the service before random characters: silence this with that reason.',
  'secret-duplicate': 'There is none: an element that stands there twice does nothing.',
  'secret-reused': 'Another plugin that only has to verify what this one signed. There is none that we know of.',
  'secret-in-source': 'A text in an example or a test that signs nothing real.',
  'migration-secret-weak':
    'Old sessions that end within days, in an app without anything to steal: until, and a silence with the same date.',
  'migration-open': 'Each migration is one: silence this until the day in until.',
  'migration-cookie-shared': 'There is none: leave keepOld out, or give this app another cookie.name.',
  'memory-store': 'A demonstration that may forget its users at every restart: silence this with that reason.',
  'memory-store-cluster':
    'WEB_CONCURRENCY on a platform whose start command runs one process. pm2 and node:cluster are no exception.',
  'store-unreachable':
    'A process that starts before its store, under a supervisor that cannot wait: silence this, and watch readiness.',
  'store-tls-unverified': 'There is none: hand the certificate of your authority to the client as ca.',
  'store-ephemeral':
    'A volume that is mounted at that path, or sessions that may end with each deployment: say which in the reason.',
  'sweep-unset': 'A timer that runs npx fastify-session-guard sweep: silence this with that reason.',
  'redis-evicts': 'A managed server whose policy you cannot change, with memory to spare and an alarm on it.',
  'clock-skew': 'There is none: set both clocks by NTP.',
  'user-index-missing':
    'There is none where a limit or an end of all sessions is promised. Leave maxSessions out, or take another store.',
  'duplicate-cookie':
    'Days after a change of cookie.domain or cookie.path: the cookies are cleared one by one, and the warning stops.',
  'requirelogin-opted-out': 'There is none: the route answers nobody.',
  'login-by-get':
    'A link in a mail whose query carries a token that works once, under a name that the guard does not know.',
  'logout-by-get': 'A front-channel logout of an identity provider that the guard does not recognise.',
  'environment-unset': 'There is none: NODE_ENV=production says the same aloud.',
  'environment-unknown':
    'A platform that prescribes the name. The rules of production apply, so only the other libraries are at risk.',
  'environment-conflict': 'A test of the built app that has to run with NODE_ENV=production.',
  'environment-deployed': 'A preview or a development cluster that holds no real users: silence this with that reason.',
  'cors-credentials-reflect':
    'There is none: a list can have any number of origins, and patterns for your own subdomains.',
  'cors-credentials-wildcard': 'There is none: browsers refuse the combination.',
  'cors-trusted-mismatch': 'A page of that origin that only reads, and shall never send what changes something.',
  'cors-header-hidden':
    'A page that logs in anew whenever its session has ended, or a server that answers another service with CORS headers.',
  'cross-origin-off':
    'A service that no browser calls, or another layer that compares Origin for it. Single routes, such as webhooks, have a switch of their own.',
  'csrf-cookie-insecure':
    'A cookie of that name that is no token, or whose value another service sets for a page over http.',
  'silence-unused': 'An entry for a finding that appears only on some stages: put it into the options of those stages.',
}

/** Returns the case in which an app may do without the advice of a rule. */
export function exceptionTo({ slug, exception }: Pick<Rule, 'slug' | 'exception'>): string | undefined {
  return exception ?? EXCEPTIONS[slug]
}
