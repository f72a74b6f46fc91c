import * as fc from 'fast-check'
import t from 'tap'
import { Ledger, MAX_TRANSFER } from '../../lib/demo/ledger.ts'
import type { Transfer } from '../../lib/demo/ledger.ts'

const order = (changes: Partial<Transfer> = {}): Transfer => ({
  at: 1,
  from: 'alice',
  to: 'bob',
  amount: 100,
  reference: '',
  ...changes,
})

t.test('a transfer moves money between two balances and is the newest in both lists', async (t) => {
  const ledger = new Ledger(0)
  const [alice, bob] = [ledger.balanceOf('alice'), ledger.balanceOf('bob')]
  ledger.send(order())
  t.equal(ledger.balanceOf('alice'), alice - 100)
  t.equal(ledger.balanceOf('bob'), bob + 100)
  t.match(ledger.recent('alice', 1), [order()])
  t.match(ledger.recent('bob', 1), [order()])
  t.strictSame(ledger.recent('carol', 5), [])
})

t.test('a transfer that cannot be made is refused in words', async (t) => {
  const ledger = new Ledger(0)
  t.equal(ledger.refusal(order()), undefined)
  t.equal(ledger.refusal(order({ amount: MAX_TRANSFER })), undefined)
  t.match(ledger.refusal(order({ to: 'carol' })), /Choose who/)
  t.match(ledger.refusal(order({ to: 'alice' })), /Choose who/)
  t.match(ledger.refusal(order({ to: '__proto__' })), /Choose who/)
  t.match(ledger.refusal(order({ amount: 0 })), /at least one cent/)
  t.match(ledger.refusal(order({ amount: MAX_TRANSFER + 1 })), /€2,000\.00 at most/)
  t.match(ledger.refusal(order({ from: 'bob', to: 'alice', amount: 118_051 })), /Your balance is €1,180\.50/)
  t.match(ledger.refusal(order({ from: 'carol' })), /Your balance is €0\.00/)
})

t.test('transfers never change the sum of all balances, and no balance falls below zero', async () => {
  const people = fc.constantFrom('alice', 'bob', 'carol')
  const transfers = fc.array(fc.record({ from: people, to: people, amount: fc.integer({ min: -10, max: 250_000 }) }))
  fc.assert(
    fc.property(transfers, (asked) => {
      const ledger = new Ledger(0)
      const total = ledger.balanceOf('alice') + ledger.balanceOf('bob')
      for (const one of asked.map(order)) if (ledger.refusal(one) === undefined) ledger.send(one)
      const [alice, bob] = [ledger.balanceOf('alice'), ledger.balanceOf('bob')]
      return alice + bob === total && alice >= 0 && bob >= 0
    }),
  )
})

t.test('the ledger keeps the latest 1000 transfers and no more', async (t) => {
  const ledger = new Ledger(0)
  for (let count = 0; count < 1100; count += 1) ledger.send(order({ amount: 1 }))
  t.equal(ledger.recent('alice', 5000).length, 1000)
})
