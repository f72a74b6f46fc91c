import t from 'tap'
import { formatMoney, parseMoney } from '../../lib/demo/money.ts'

t.test('an amount is read as whole cents, with a point or a comma', async (t) => {
  for (const [typed, cents] of [
    ['12', 1200],
    ['12.5', 1250],
    ['12,50', 1250],
    [' 0.07 ', 7],
    ['0', 0],
    ['999999999.99', 99_999_999_999],
  ] as const) {
    t.equal(parseMoney(typed), cents, typed)
  }
})

t.test('a text that is not an amount is refused', async (t) => {
  for (const typed of ['', '-1', '+1', '1e3', '1.234', '.5', '1.', '0x10', '1 000', 'NaN', '٣', '1'.repeat(10)]) {
    t.equal(parseMoney(typed), undefined, typed)
  }
})

t.test('cents are shown as euros', async (t) => {
  t.equal(formatMoney(245_000), '€2,450.00')
  t.equal(formatMoney(7), '€0.07')
})
