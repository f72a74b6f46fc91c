import t from 'tap'
import type { SessionEvent } from '../../types/index.ts'
import { BankCustomer } from '../support/bank-customer.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { Gate } from '../support/gate-store.ts'
import { openBank, SETTINGS } from '../support/sites.ts'
import { testClock } from '../support/clock.ts'
import { memoryStore } from '../../lib/index.ts'

const certificate = makeCertificate()
const chromium = await Chromium.start(t, certificate)

for (const setting of SETTINGS) {
  t.test(`in ${setting}, two tabs that renew at the same moment both stay logged in`, async (t) => {
    const clock = testClock(Date.now())
    const gate = new Gate(memoryStore({ clock }))
    const bank = await openBank(t, setting, certificate, { clock, store: gate.store })
    const events: SessionEvent['type'][] = []
    bank.app.sessions.events.on('event', ({ type }) => void events.push(type))

    const device = await chromium.device(t)
    const first = await BankCustomer.at(device, bank)
    const second = await BankCustomer.at(device, bank)
    await first.logIn('alice')
    await second.visit('/devices')

    for (const round of [1, 2, 3]) {
      const [before] = await first.cookies()
      clock.advance('16m')
      // Both requests read the record with the old secret before either request goes on.
      const held = [gate.hold('get'), gate.hold('get')] as const
      const clicks = [first.follow('Account'), second.follow('Your devices')] as const
      await Promise.all(held.map(({ arrived }) => arrived))
      for (const one of held) one.release()
      t.strictSame(await Promise.all(clicks), ['Good to see you, Alice Albright', 'Your devices'], `round ${round}`)
      t.not((await first.cookies())[0]?.value, before?.value, 'the id is new')

      clock.advance('1m')
      t.equal(await first.follow('Account'), 'Good to see you, Alice Albright')
      t.equal(await second.follow('Your devices'), 'Your devices')
    }

    // The new id is confirmed before the store answers the other tab's request, which came with the old id.
    clock.advance('16m')
    const late = gate.hold('get')
    const click = second.follow('Your devices')
    await late.arrived
    await first.follow('Account')
    await first.follow('Account')
    const [renewed] = await first.cookies()
    late.release()
    t.equal(await click, 'Your devices', 'a late answer is an answer')
    t.equal((await first.cookies())[0]?.value, renewed?.value, 'and takes nothing from the cookie')

    t.ok(events.includes('renew'))
    t.notOk(events.includes('replay'), 'nothing looked like a copied cookie')
  })
}

t.test('a cookie that was copied before a renewal is noticed, and the session ends', async (t) => {
  const bank = await openBank(t, 'production', certificate)
  const alice = await BankCustomer.at(await chromium.device(t), bank)
  await alice.logIn('alice')
  const copied = await alice.cookies()
  bank.clock.advance('16m')
  await alice.follow('Account')
  await alice.follow('Account')
  bank.clock.advance('1m')

  const thief = await BankCustomer.at(await chromium.device(t), bank)
  await thief.device.addCookies(copied)
  // The thief has the same browser, so both are served for a while.
  await thief.visit('/account')
  bank.clock.advance('3m')
  t.not(await alice.follow('Account'), 'Log in')
  await thief.visit('/account')
  t.equal(await thief.heading(), 'Log in')
  t.equal(await alice.follow('Account'), 'Log in')
})
