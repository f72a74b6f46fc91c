import * as fc from 'fast-check'
import { SECRET, STORE } from './configs.ts'

const pick = <Value>(...values: Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values)

const DURATIONS = pick<unknown>('5m', '1h', '30d', '2d', 1800, 1_800_000, '1 day', '', 0, '0s', -5, '13h', 43_200)

const WRONG_COOKIE = fc.record(
  {
    name: pick<unknown>('sid', '__Host-sid', '__secure-x', 'my session', '', '__Host-Http-a', 'connect.sid', 5),
    domain: pick<unknown>('example.com', 'https://example.com', 'localhost', 'github.io', '::1', null, '*'),
    path: pick<unknown>('/', '/app', 'app', 5),
    secure: pick<unknown>(true, false, 'auto', 'true', 'false', 1),
    httpOnly: pick<unknown>(true, false, 'yes'),
    sameSite: pick<unknown>('lax', 'none', 'None', true, false, 'no_restriction', 5),
    partitioned: pick<unknown>(true, false, 'true'),
    priority: pick<unknown>('high', 'High', 5),
    samesite: pick<unknown>('none', 'lax', 5),
    httponly: pick<unknown>(false, true),
    maxAge: pick<unknown>(3600),
    idleTimeout: pick<unknown>('5m', 5),
  },
  { requiredKeys: [] },
)

const { listIndex: _, ...STORE_WITHOUT_INDEX } = STORE

/** Right and wrong values for each option, and for names that are no options. */
export const WRONG_VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  environment: pick<unknown>('development', 'production', 'dev', 'prod', 5),
  secret: pick<unknown>(SECRET, '', 'keyboard cat', [SECRET, 'x'], ['x', SECRET], [], [5], 5, 918273645546372),
  cookie: fc.oneof({ weight: 5, arbitrary: WRONG_COOKIE }, { weight: 1, arbitrary: pick<unknown>('x', 5) }),
  store: pick<unknown>(STORE, undefined, {}, 'redis', STORE_WITHOUT_INDEX, { ...STORE, volatile: true }, null),
  assurance: pick<unknown>('aal1', 'aal3', 'AAL3', 5),
  idleTimeout: DURATIONS,
  absoluteTimeout: DURATIONS,
  renewalTimeout: DURATIONS,
  rememberTimeout: DURATIONS,
  storeTimeout: DURATIONS,
  maxSessions: pick<unknown>(5, '5', 0, {}, { limit: 0 }, { limit: 1, onLimit: 'kick' }),
  loadUser: pick<unknown>(async () => null, 'x'),
  authHash: pick<unknown>(() => 'x', 5),
  crossOriginProtection: pick<unknown>(true, false, 'false'),
  trustedOrigins: pick<unknown>(['https://a.example', 'b.example'], '*', ['*'], [5]),
  tls: pick<unknown>('proxy', true, 'https'),
  decorators: pick<unknown>({ login: 'logout' }, { session: 'x' }, { login: 5, logIn: 'x' }, 5),
  silence: pick<unknown>(
    [{ rule: 'domain-wide', reason: '' }, { rule: 'secure-required', reason: 'lab' }, 5],
    [
      { rule: 'secret-missing', reason: 'x' },
      { rule: 'memory-store', reasons: 'x' },
    ],
  ),
  clock: pick<unknown>(Date.now, () => Number.NaN, 5),
  namespace: pick<unknown>('shop', 'Läden', 5, ''),
  userMaxAge: DURATIONS,
  authCheckInterval: DURATIONS,
  sweepInterval: DURATIONS,
  maxRecordSize: pick<unknown>(1000, '1000', 0, 1.5),
  clearSiteData: pick<unknown>(true, 'false', 5),
  onCopiedSession: pick<unknown>('end', 'step-up', 'END', 5),
  deviceBound: pick<unknown>(
    true,
    'require',
    'yes',
    { require: 'yes' },
    { lifetime: 600 },
    { path: 'x/' },
    { time: '5m' },
  ),
  headerTransport: pick<unknown>(
    { header: 'x-session', scheme: '' },
    { header: 'Cookie' },
    { headers: 'x', scheme: 'a b' },
    {},
    'authorization',
  ),
  migrateFrom: pick<unknown>([], [5], {}, 'x'),
  sameSite: pick<unknown>('strict', 5),
  name: pick<unknown>('sid'),
  idletimeout: DURATIONS,
  secert: pick<unknown>(SECRET, 'x'),
  password: pick<unknown>(SECRET, 'x'),
  cookieName: pick<unknown>('sid', 'my sid', 5),
  ttl: pick<unknown>(3600),
  resave: pick<unknown>(false),
  proxy: pick<unknown>(true),
  frobnicate: pick<unknown>(1),
}

/** Options with random mistakes. */
export const WRONG_OPTIONS: fc.Arbitrary<Record<string, unknown>> = fc.record(WRONG_VALUES, { requiredKeys: [] })

export const ENVIRONMENTS: fc.Arbitrary<string> = pick('production', 'development', 'test', 'prod', 'dev')
