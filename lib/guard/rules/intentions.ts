import type { Intention, Rule } from './rule.ts'

/** Options that do what somebody wishes. */
const options = (wish: string, code: string): Intention => ({ wish, code })

/** A wish that is fulfilled outside of the options. */
const elsewhere = (wish: string, code: string): Intention => ({ wish, code, isOptions: false })

const NEW_SECRET = elsewhere('A new secret', 'npx fastify-session-guard secret >> .env')

const FROM_ENVIRONMENT = options('From the environment', 'secret: process.env.SESSION_SECRET')

const ROTATION = options(
  'A rotation: the first one signs, all of them verify',
  'secret: [process.env.SESSION_SECRET, process.env.OLD_SESSION_SECRET]',
)

const ONE_MACHINE = options('One machine', "store: sqliteStore({ database: new Database('sessions.db') })")

const SEVERAL_MACHINES = options('Several processes or machines', 'store: redisStore({ client })')

const STAY_LOGGED_IN = options(
  'Users who tick "stay logged in": req.login(user, { remember: true })',
  "idleTimeout: '1h', absoluteTimeout: '12h', rememberTimeout: '30d'",
)

const BY_USER = options(
  'Staff have less time than customers',
  "idleTimeout: (user) => (user.isStaff ? '15m' : '2h'), absoluteTimeout: '12h'",
)

const PROXIES = [
  elsewhere('A proxy on the same machine', "Fastify({ trustProxy: ['127.0.0.1', '::1'] })"),
  elsewhere('A load balancer in a network of your own', "Fastify({ trustProxy: ['10.0.0.0/8'] })"),
  elsewhere('A proxy behind a unix socket', 'Fastify({ trustProxy: (address) => address === undefined })'),
]

/** Right choices by what their author is after, by the slug of the rule, for rules that do not say them themselves. */
const INTENTIONS: Readonly<Record<string, readonly Intention[]>> = {
  'duration-unit': [
    options('A number of minutes from the environment', "idleTimeout: (process.env.IDLE_MINUTES ?? '30') + 'm'"),
  ],
  'samesite-invalid': [
    options('Users come by links from mails and other sites, and are logged in at once', "cookie: { sameSite: 'lax' }"),
    options('Nobody comes from elsewhere, as in an admin panel', "cookie: { sameSite: 'strict' }"),
    options('Other sites embed the app in a frame', "cookie: { sameSite: 'none', secure: true, partitioned: true }"),
  ],
  'samesite-none-requires-secure': [
    options('Other sites embed the app in a frame', "cookie: { sameSite: 'none', secure: true, partitioned: true }"),
    options('Nobody embeds it', "cookie: { sameSite: 'lax', secure: true }"),
  ],
  'secure-required': [
    options('Production, behind a proxy that ends TLS', "cookie: { secure: true }, tls: 'proxy'"),
    elsewhere('Development over http', "NODE_ENV=development, and no cookie.secure: 'auto' is the default"),
  ],
  'tls-unproven': [
    options('nginx, a load balancer or a platform ends TLS', "tls: 'proxy'"),
    options('This process has the certificate: Fastify({ https })', "tls: 'direct'"),
  ],
  'trust-proxy-missing': PROXIES,
  'trust-proxy-hop-count': PROXIES,
  'trust-proxy-all': PROXIES,
  'samesite-none-exposed': [
    options(
      'The sites that embed the app',
      "cookie: { sameSite: 'none', secure: true }, trustedOrigins: ['https://shop.example']",
    ),
  ],
  'prefix-missing': [
    options('One host', "cookie: { name: '__Host-shop' }"),
    options(
      'A domain and its subdomains',
      "cookie: { name: '__Secure-shop', domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login for shop and forum' }]",
    ),
  ],
  'domain-wide': [
    options('This host alone', "cookie: { name: '__Host-shop' }"),
    options(
      'One login for several hosts',
      "cookie: { name: '__Secure-shop', domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login for shop and forum' }]",
    ),
  ],
  'path-narrow': [
    options('One app on the host', "cookie: { path: '/' }"),
    options('Two apps on one host, each with a name of its own', "cookie: { name: '__Host-forum' }"),
  ],
  'idle-too-long': [STAY_LOGGED_IN, BY_USER],
  'absolute-too-long': [STAY_LOGGED_IN, options('Accounts with powers', "assurance: 'aal2', absoluteTimeout: '12h'")],
  'remember-too-long': [STAY_LOGGED_IN],
  'timeouts-inverted': [
    options(
      'All four in order',
      "renewalTimeout: '15m', idleTimeout: '1h', absoluteTimeout: '12h', rememberTimeout: '30d'",
    ),
  ],
  'secret-missing': [NEW_SECRET, FROM_ENVIRONMENT, ROTATION],
  'secret-short': [NEW_SECRET, FROM_ENVIRONMENT, ROTATION],
  'secret-low-entropy': [NEW_SECRET, FROM_ENVIRONMENT],
  'secret-placeholder': [NEW_SECRET, FROM_ENVIRONMENT],
  'secret-in-source': [
    NEW_SECRET,
    elsewhere('From a secret manager', 'app.register(secureSession, { secret: await readSecret() })'),
  ],
  'secret-duplicate': [ROTATION],
  'memory-store': [ONE_MACHINE, SEVERAL_MACHINES],
  'memory-store-cluster': [ONE_MACHINE, SEVERAL_MACHINES],
  'sweep-unset': [
    options('The plugin sweeps', "sweepInterval: '1h'"),
    elsewhere('A timer sweeps', '0 * * * *  npx fastify-session-guard sweep --store "$SESSION_STORE"'),
  ],
  'environment-unknown': [elsewhere('A stage of your own', 'NODE_ENV=production STAGE=staging')],
  'cross-origin-off': [
    options('A page of yours on another origin', "trustedOrigins: ['https://app.example']"),
    elsewhere(
      'A webhook, which brings a signature of its own',
      "app.post('/webhook', { config: { crossOriginProtection: false } }, handler)",
    ),
    options('Clients without a cookie jar', "headerTransport: { header: 'authorization', scheme: 'Session' }"),
  ],
  'cors-credentials-reflect': [
    elsewhere('A few origins', "app.register(cors, { origin: ['https://app.example'], credentials: true })"),
    elsewhere(
      'All subdomains of your own, over https',
      'app.register(cors, { origin: [/^https:\\/\\/([a-z0-9-]+\\.)?example\\.com$/], credentials: true })',
    ),
    elsewhere('Data for everybody, without a session', "app.register(cors, { origin: '*' })"),
  ],
  'csrf-cookie-insecure': [
    elsewhere('The secret in the session', "app.register(csrf, { sessionPlugin: '@fastify/session' })"),
    elsewhere('The secret in a cookie', "app.register(csrf, { cookieOpts: { secure: true, path: '/' } })"),
  ],
  'login-keeps-id': [
    elsewhere('This plugin', 'await request.login(user)'),
    elsewhere('express-session', 'req.session.regenerate(() => { req.session.userId = user.id; next() })'),
    elsewhere('Django', 'login(request, user)'),
    elsewhere('Flask with Flask-Session', 'app.session_interface.regenerate(session)'),
    elsewhere('PHP', 'session_regenerate_id(true)'),
    elsewhere('Rails', 'reset_session'),
    elsewhere('Spring Security', 'http.sessionManagement(s -> s.sessionFixation().changeSessionId())   the default'),
  ],
  'logout-keeps-session': [
    elsewhere('This plugin', 'await request.logout()'),
    elsewhere('express-session', 'req.session.destroy(next)'),
    elsewhere('Django', 'logout(request), with any engine but signed_cookies'),
    elsewhere('Flask with Flask-Session, which keeps sessions on the server', 'session.clear()'),
    elsewhere('PHP', 'session_destroy(), and a cleared cookie'),
    elsewhere('Rails with activerecord-session_store', 'reset_session'),
    elsewhere('Spring Security, by default', 'SecurityContextLogoutHandler invalidates the session'),
  ],
  embeddable: [
    elsewhere('Partners embed the app', "Content-Security-Policy: frame-ancestors 'self' https://partner.example"),
    elsewhere('Nobody embeds it', "Content-Security-Policy: frame-ancestors 'none'   and SameSite=Lax"),
  ],
}

/** Returns right choices for a rule, by what their author is after. */
export function intentionsFor({ slug, intentions }: Pick<Rule, 'slug' | 'intentions'>): readonly Intention[] {
  return intentions ?? INTENTIONS[slug] ?? []
}
