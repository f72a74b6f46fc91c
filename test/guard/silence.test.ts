import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { checkNeighbours } from '../../lib/guard/phases.ts'
import { good, judge, named } from './configs.ts'
import { NEIGHBOURS } from './phase-facts.ts'

const NOW = Date.UTC(2026, 5, 15, 12)

function withSilence(silence: unknown, options: object = { cookie: { domain: 'example.com' } }): string[] {
  return judge(good({ ...options, silence }), 'production', { now: NOW })
}

t.test('an entry with a reason sets a finding aside, by slug or id', async (t) => {
  for (const rule of ['domain-wide', 'session/domain-wide']) {
    const options = good({ cookie: { domain: 'example.com' }, silence: [{ rule, reason: ' one login ' }] })
    t.strictSame(judge(options), [])
    t.strictSame(
      checkConfig(options, 'production').map(({ silenced }) => silenced),
      [{ reason: 'one login', expires: null }],
    )
  }
})

t.test('a reason is required', async (t) => {
  const refused = ['fatal silence-invalid', 'warning domain-wide']
  for (const entry of [
    { rule: 'domain-wide' },
    { rule: 'domain-wide', reason: '' },
    { rule: 'domain-wide', reason: ' ' },
  ]) {
    t.strictSame(withSilence([entry]), refused)
  }
})

t.test('an unknown rule is refused, with the one that was meant', async (t) => {
  t.strictSame(withSilence([{ rule: 'domain-wde', reason: 'x' }]), ['fatal silence-invalid', 'warning domain-wide'])
  const [finding] = checkConfig(
    good({ cookie: { domain: 'a.example' }, silence: [{ rule: 'domain-wde', reason: 'x' }] }),
    'production',
  )
  t.equal(finding?.suggestion, 'domain-wide')
  t.strictSame(withSilence([{ reason: 'x' }], {}), ['fatal silence-invalid'])
  t.strictSame(withSilence([{}], {}), ['fatal silence-invalid'])
})

t.test('a rule that cannot be silenced is not', async (t) => {
  const options = { cookie: { sameSite: 'none', secure: 'auto' } }
  t.strictSame(withSilence([{ rule: 'samesite-none-requires-secure', reason: 'x' }], options), [
    'fatal samesite-none-requires-secure',
    'fatal silence-invalid',
  ])
})

t.test('a finding that cannot be silenced stays, though others of its rule can be', async (t) => {
  const silence = [{ rule: 'domain-local', reason: 'x' }]
  t.strictSame(withSilence(silence, { cookie: { domain: '127.0.0.1' } }), [])
  t.strictSame(withSilence(silence, { cookie: { domain: '::1' } }), ['fatal domain-local'])
})

t.test('an entry counts until its day is over in UTC', async (t) => {
  const until = (expires: unknown): string[] => withSilence([{ rule: 'domain-wide', reason: 'x', expires }])
  const expired = ['fatal silence-invalid', 'warning domain-wide']
  for (const expires of ['2026-06-15', '2027-01-31', '2026-06-15T12:00:01Z', '2026-06-15T14:30+02:00']) {
    t.strictSame(until(expires), [], expires)
  }
  for (const expires of ['2026-06-14', '2020-01-01', '2026-06-15T12:00:00Z', '2026-06-15T13:59:00.000+02:00']) {
    t.strictSame(until(expires), expired, expires)
  }
  for (const expires of ['tomorrow', '2027-13-01', '2027-02-30', '31.1.2027', '2027', '', '2027-01-31T25:00Z']) {
    t.strictSame(until(expires), expired, expires)
  }
  t.strictSame(until(5), ['fatal option-type', 'warning domain-wide'])
})

t.test('without a clock the expiry is judged by now', async (t) => {
  const silence = (expires: string): object =>
    good({ cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'x', expires }] })
  t.strictSame(named(checkConfig(silence('9999-12-31'), 'production')), [])
  t.strictSame(named(checkConfig(silence('2001-01-01'), 'production')), [
    'fatal silence-invalid',
    'warning domain-wide',
  ])
})

t.test('an entry that matches nothing is a warning', async (t) => {
  t.strictSame(withSilence([{ rule: 'path-narrow', reason: 'x' }], {}), ['warning silence-unused'])
})

t.test('an entry for a rule that speaks later, or not in this environment, is left alone', async (t) => {
  const silence = [
    { rule: 'hsts-missing', reason: 'the proxy does it' },
    { rule: 'secret-reused', reason: 'moving' },
    { rule: 'plain-http-in-production', reason: 'health checks' },
  ]
  t.strictSame(withSilence(silence, {}), [])
  t.strictSame(judge(good({ silence: [{ rule: 'domain-wide', reason: 'x' }] }), 'development'), [])
})

t.test('the ready phase settles what register had to leave open', async (t) => {
  const silence = [
    { rule: 'secret-reused', reason: 'moving' },
    { rule: 'trust-proxy-missing', reason: 'requests will tell' },
    { rule: 'path-narrow', reason: 'judged before' },
  ]
  t.strictSame(named(checkNeighbours(good({ silence }), 'production', NEIGHBOURS)), ['warning silence-unused'])
  const shared = { ...NEIGHBOURS, secretSharedWith: ['@fastify/jwt'] }
  t.strictSame(named(checkNeighbours(good({ silence }), 'production', shared)), [])
  const earlier = checkConfig(good(), 'production', { sessionDecorated: true }).map((finding) => ({
    ...finding,
    rule: 'session/secret-reused' as const,
  }))
  t.strictSame(named(checkNeighbours(good({ silence }), 'production', NEIGHBOURS, { earlier })), [])
})

t.test('silencing silence-unused has its use only when something is unused', async (t) => {
  const own = { rule: 'silence-unused', reason: 'shared between two apps' }
  t.strictSame(withSilence([own, { rule: 'path-narrow', reason: 'x' }], {}), [])
  t.strictSame(withSilence([own], {}), [])
  t.equal(checkConfig(good({ silence: [own] }), 'production').length, 1, 'it is unused, and silences that')
})

t.test('a thousand entries are judged, and the report stays short', async (t) => {
  const silence = Array.from({ length: 1000 }, (_, index) => ({ rule: `rule-${index}`, reason: 'x' }))
  t.equal(withSilence(silence, {}).length, 50)
  t.strictSame(withSilence([...silence, {}], {}), ['fatal option-type'])
})
