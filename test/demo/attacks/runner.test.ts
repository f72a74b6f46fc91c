import t from 'tap'
import { buildBank } from '../../../lib/demo/app.ts'
import type { Attack } from '../../../lib/demo/attacks/attack.ts'
import { bothCookies } from '../../../lib/demo/attacks/both-cookies.ts'
import { copiedCookie } from '../../../lib/demo/attacks/copied-cookie.ts'
import { send } from '../../../lib/demo/attacks/http.ts'
import { otherOrigin } from '../../../lib/demo/attacks/other-origin.ts'
import { AttackRunner } from '../../../lib/demo/attacks/runner.ts'
import { Scene } from '../../../lib/demo/attacks/scene.ts'
import type { Target } from '../../../lib/demo/attacks/target.ts'
import { openTarget } from '../../../lib/demo/attacks/target.ts'
import { attackPage } from '../../../lib/demo/pages/attack.ts'
import { attacksPage } from '../../../lib/demo/pages/attacks.ts'
import type { SecureSessionOptions } from '../../../types/index.ts'

const NOW = Date.UTC(2026, 0, 1)

/** Opens a target whose session layer has these options, for example with a protection switched off. */
function targetWith(options: SecureSessionOptions): () => Promise<Target> {
  return () => openTarget(({ session, clock }) => buildBank({ session: { ...session, ...options }, clock }), NOW)
}

for (const [attack, options] of [
  [otherOrigin, { crossOriginProtection: false }],
  [copiedCookie, { renewalTimeout: '0s' }],
  [bothCookies, { deviceBound: false }],
  [bothCookies, { deviceBound: { lifetime: '1h' }, environment: 'test' }],
] as const) {
  const given = JSON.stringify(options)
  t.test(`"${attack.title}" is told as not stopped when the protection is switched off with ${given}`, async (t) => {
    const runner = new AttackRunner(() => NOW, targetWith(options))
    t.equal(runner.latest(attack), undefined)
    await runner.run(attack)
    const run = runner.latest(attack)
    t.match(run, { at: new Date(NOW), verdict: { isStopped: false } })
    t.ok((run?.verdict.decisive.length ?? 0) > 0)
    const page = String(attackPage({ attack, run, passages: [] }).body)
    t.match(page, 'Not stopped.')
    t.match(page, 'Please report it.')
    t.match(String(attacksPage([{ attack, run }]).body), 'Not stopped at 00:00:00')
  })
}

t.test('the time of a target moves only when the attack moves it, and the visitor is told how far', async (t) => {
  const runner = new AttackRunner(() => NOW, targetWith({}))
  await runner.run(copiedCookie)
  const run = runner.latest(copiedCookie)
  const waits = (run?.steps ?? []).flatMap(({ words }) => /^(\d+) minutes pass/.exec(words)?.[1] ?? []).map(Number)
  t.match(run?.verdict.words, `${waits.reduce((sum, one) => sum + one, 0)} minutes after it was made`)
})

t.test('the copied cookie is noticed by the line that the attack page marks', async (t) => {
  const target = await targetWith({})()
  t.teardown(() => target.close())
  await copiedCookie.run(new Scene(target))
  const [replay] = target.events.filter(({ type }) => type === 'replay')
  const [passage] = copiedCookie.passages
  t.match(replay, { sign: passage?.stop })
})

t.test('an attack that breaks closes its target and does not hold up the next one', async (t) => {
  const targets: Target[] = []
  const open = targetWith({})
  const runner = new AttackRunner(
    () => NOW,
    async () => {
      const target = await open()
      targets.push(target)
      return target
    },
  )
  const broken: Attack = { ...otherOrigin, run: () => Promise.reject(new Error('a broken script')) }
  const [first, second] = await Promise.allSettled([runner.run(broken), runner.run(copiedCookie)])
  t.match(first, { status: 'rejected', reason: { message: 'a broken script' } })
  t.match(second, { status: 'fulfilled' })
  t.equal(targets.length, 2)
  for (const { port } of targets) {
    await t.rejects(send(port, { method: 'GET', path: '/', headers: {}, body: '' }), { code: 'ECONNREFUSED' })
  }
})
