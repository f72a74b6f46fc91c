/** An amount of money in whole cents, because floating point would round. */
export type Cents = number

const TYPED = /^(\d{1,9})(?:[.,](\d{1,2}))?$/

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

/** Reads `12`, `12.5`, `12.50` and `12,50`. Returns `undefined` for anything else, signs and exponents included. */
export function parseMoney(typed: string): Cents | undefined {
  const match = TYPED.exec(typed.trim())
  return match === null ? undefined : Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
}

/** Writes an amount for people: `€1,250.00`. */
export function formatMoney(cents: Cents): string {
  return EUROS.format(cents / 100)
}
