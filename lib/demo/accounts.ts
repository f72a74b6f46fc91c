import type { HashedPassword } from './password.ts'
import { hashPassword, verifyPassword } from './password.ts'

/** Somebody who banks here. */
export interface Customer {
  readonly id: string
  readonly name: string
}

/** A customer whose password the login page prints: this is a demo. */
export interface DemoCustomer extends Customer {
  readonly password: string
}

export const CUSTOMERS: readonly DemoCustomer[] = [
  { id: 'alice', name: 'Alice Albright', password: 'lantern-on-the-quay' },
  { id: 'bob', name: 'Bob Beaumont', password: 'seven-grey-herons' },
]

/** Longer input would only keep the hash busy. */
const MAX_PASSWORD_LENGTH = 128

let opened: Promise<Accounts> | undefined

/** Knows who may log in. */
export class Accounts {
  readonly #hashes: ReadonlyMap<string, HashedPassword>
  readonly #decoy: HashedPassword

  private constructor(hashes: ReadonlyMap<string, HashedPassword>, decoy: HashedPassword) {
    this.#hashes = hashes
    this.#decoy = decoy
  }

  /** Hashes once per process: the customers of every bank are the same. */
  static open(): Promise<Accounts> {
    opened ??= Accounts.#hash()
    return opened
  }

  static async #hash(): Promise<Accounts> {
    const hashing = CUSTOMERS.map(async ({ id, password }) => [id, await hashPassword(password)] as const)
    const [decoy, ...hashes] = await Promise.all([hashPassword('nobody has this one'), ...hashing])
    return new Accounts(new Map(hashes), decoy)
  }

  find(id: string | undefined): Customer | undefined {
    return CUSTOMERS.find((customer) => customer.id === id)
  }

  /** Whom this one may send money to. */
  others(id: string): readonly Customer[] {
    return CUSTOMERS.filter((customer) => customer.id !== id)
  }

  /** The customer whose password this is. An unknown name costs the same hash, so the time does not tell who banks here. */
  async check(id: string, password: string): Promise<Customer | undefined> {
    const isPlausible = password.length <= MAX_PASSWORD_LENGTH
    const isRight = await verifyPassword(isPlausible ? password : '', this.#hashes.get(id) ?? this.#decoy)
    return isRight ? this.find(id) : undefined
  }
}
