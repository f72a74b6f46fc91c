/** Settings and functions of other stacks that are about what a rule is about, by the slug of the rule. */
export const OTHER_STACKS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'secure-required': {
    'Django, Flask': ['SESSION_COOKIE_SECURE'],
    PHP: ['session.cookie_secure'],
    Spring: ['server.servlet.session.cookie.secure'],
    'express-session': ['cookie.secure'],
    'ASP.NET Core': ['Cookie.SecurePolicy'],
  },
  'secure-auto': { 'express-session': ["cookie.secure: 'auto'"], 'ASP.NET Core': ['CookieSecurePolicy.SameAsRequest'] },
  'httponly-disabled': {
    'Django, Flask': ['SESSION_COOKIE_HTTPONLY'],
    PHP: ['session.cookie_httponly'],
    Spring: ['server.servlet.session.cookie.http-only'],
    'express-session': ['cookie.httpOnly'],
  },
  'samesite-missing': {
    'Django, Flask': ['SESSION_COOKIE_SAMESITE'],
    PHP: ['session.cookie_samesite'],
    Spring: ['server.servlet.session.cookie.same-site'],
    Rails: ['cookies_same_site_protection'],
    'express-session': ['cookie.sameSite'],
  },
  'cookie-name-fingerprint': {
    'Django, Flask': ['SESSION_COOKIE_NAME'],
    PHP: ['session.name'],
    Spring: ['server.servlet.session.cookie.name'],
    'express-session': ['name'],
  },
  'domain-wide': {
    'Django, Flask': ['SESSION_COOKIE_DOMAIN'],
    PHP: ['session.cookie_domain'],
    Spring: ['server.servlet.session.cookie.domain'],
    'express-session': ['cookie.domain'],
  },
  'path-narrow': {
    'Django, Flask': ['SESSION_COOKIE_PATH'],
    PHP: ['session.cookie_path'],
    Spring: ['server.servlet.session.cookie.path'],
  },
  'idle-too-long': {
    Django: ['SESSION_COOKIE_AGE', 'SESSION_SAVE_EVERY_REQUEST'],
    Flask: ['PERMANENT_SESSION_LIFETIME', 'SESSION_REFRESH_EACH_REQUEST'],
    PHP: ['session.gc_maxlifetime'],
    Spring: ['server.servlet.session.timeout'],
    Rails: ['expire_after'],
    'express-session': ['cookie.maxAge with rolling'],
  },
  'absolute-too-long': { 'Django without SESSION_SAVE_EVERY_REQUEST': ['SESSION_COOKIE_AGE'], Devise: ['timeout_in'] },
  'remember-too-long': {
    'Spring Security': ['rememberMe().tokenValiditySeconds'],
    Devise: ['remember_for'],
    Django: ['request.session.set_expiry'],
  },
  'secret-missing': {
    'Django, Flask': ['SECRET_KEY'],
    Rails: ['secret_key_base'],
    Laravel: ['APP_KEY'],
    'Auth.js': ['AUTH_SECRET'],
    'express-session': ['secret'],
  },
  'secret-duplicate': {
    'Django, Flask': ['SECRET_KEY_FALLBACKS'],
    Rails: ['cookies_rotations'],
    Laravel: ['APP_PREVIOUS_KEYS'],
  },
  'memory-store': {
    'express-session': ['MemoryStore'],
    Django: ['SESSION_ENGINE'],
    PHP: ['session.save_handler'],
    Spring: ['spring.session.store-type'],
  },
  'sweep-unset': {
    Django: ['clearsessions'],
    PHP: ['session.gc_probability'],
    Rails: ['db:sessions:trim'],
    'connect-pg-simple': ['pruneSessionInterval'],
  },
  'max-sessions-unset': { 'Spring Security': ['maximumSessions'], Devise: ['session_limitable'] },
  'cross-origin-off': {
    Django: ['CsrfViewMiddleware'],
    Rails: ['protect_from_forgery'],
    'Spring Security': ['csrf()'],
    Go: ['http.CrossOriginProtection'],
    'Flask-WTF': ['CSRFProtect'],
  },
  'trust-proxy-missing': {
    Express: ["app.set('trust proxy')"],
    Django: ['SECURE_PROXY_SSL_HEADER'],
    Flask: ['ProxyFix'],
    Rails: ['assume_ssl'],
    Spring: ['server.forward-headers-strategy'],
  },
  'hsts-missing': {
    Django: ['SECURE_HSTS_SECONDS'],
    Rails: ['force_ssl'],
    'Spring Security': ['httpStrictTransportSecurity()'],
  },
  'hsts-weak': { Django: ['SECURE_HSTS_INCLUDE_SUBDOMAINS'] },
  'https-redirect-missing': { Django: ['SECURE_SSL_REDIRECT'], 'Spring Security': ['requiresSecure()'] },
  'session-id-in-url': {
    PHP: ['session.use_only_cookies', 'session.use_trans_sid'],
    Spring: ['server.servlet.session.tracking-modes'],
  },
  'login-keeps-id': {
    Django: ['cycle_key'],
    Rails: ['reset_session'],
    PHP: ['session_regenerate_id'],
    'Spring Security': ['sessionFixation().changeSessionId()'],
    'express-session': ['req.session.regenerate'],
  },
  'logout-keeps-session': {
    Django: ['session.flush'],
    PHP: ['session_destroy'],
    'Spring Security': ['SecurityContextLogoutHandler'],
    'express-session': ['req.session.destroy'],
  },
  embeddable: { Django: ['X_FRAME_OPTIONS'], 'Spring Security': ['frameOptions()'], helmet: ['frameAncestors'] },
}

/** The rule that is about a setting of another stack: `SESSION_COOKIE_SECURE`, `session.cookie_secure`. */
export function slugForSetting(name: string): string | undefined {
  const wanted = name.toLowerCase()
  return Object.entries(OTHER_STACKS).find(([, stacks]) =>
    Object.values(stacks).some((settings) => settings.some((setting) => setting.toLowerCase() === wanted)),
  )?.[0]
}
