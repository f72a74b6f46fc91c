import t from 'tap'
import { buildTarget } from '../../../lib/demo/app.ts'
import { Party } from '../../../lib/demo/attacks/party.ts'
import { openTarget } from '../../../lib/demo/attacks/target.ts'
import type { Step } from '../../../lib/demo/attacks/step.ts'

const target = await openTarget(buildTarget, Date.UTC(2026, 0, 1))
t.teardown(() => target.close())

t.test('a party keeps the cookie of each answer, and loses it when an answer clears it', async (t) => {
  const party = new Party(target.port, [])
  await party.get('/', 'opens the page')
  const before = party.cookie
  t.match(before, /^session=./)
  await party.logIn('logs in')
  t.not(party.cookie, before)
  t.match(party.cookie, /^session=./)
  await party.post('/logout', {}, 'logs out')
  t.equal(party.cookie, '')
})

t.test('an exchange is noted as text, without a password and with shortened ids', async (t) => {
  const steps: Step[] = []
  const party = new Party(target.port, steps)
  await party.logIn('Alice logs in.')
  const account = await party.get('/account', 'Alice looks.')
  t.equal(steps.length, 2)
  t.match(steps[0], {
    kind: 'exchange',
    words: 'Alice logs in.',
    status: 303,
    location: '/account',
    fingerprint: undefined,
    request: /^POST \/login HTTP\/1\.1\nHost: 127\.0\.0\.1:\d+\n[^]*\n\nname=alice&password=…$/,
    answer:
      /^HTTP\/1\.1 303 See Other\nLocation: \/account\nSet-Cookie: session=[\w-]{4}…\.[\w-]{4}…\.[\w-]{4}…; Path=\//,
  })
  t.match(account.request, /\nCookie: session=[\w-]{4}…\.[\w-]{4}…\.[\w-]{4}…$/)
  t.match(account, { heading: 'Good to see you, Alice Albright', fingerprint: /^[\da-f]{4} [\da-f]{4}$/ })
})

t.test('a target reports the events of its session layer', async (t) => {
  const seen = target.events.length
  await new Party(target.port, []).logIn('logs in')
  t.strictSame(
    target.events.slice(seen).map(({ type }) => type),
    ['login'],
  )
})

t.test('the second bank has no attack page, so that no attack begins another', async (t) => {
  const { status } = await new Party(target.port, []).get('/attacks', 'looks for it')
  t.equal(status, 404)
})
