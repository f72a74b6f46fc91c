import type { HashedPassword } from './password.ts'
import { hashPassword, verifyPassword } from './password.ts'

/** A person who banks here. */
export interface Customer {
  readonly id: string
  readonly name: string
}

/** A customer whose password the login page prints, because this is a demo. */
export interface DemoCustomer extends Customer {
  readonly password: string
}

/** The customer who is attacked on the attack page, too. */
export const ALICE: DemoCustomer = { id: 'alice', name: 'Alice Albright', password: 'lantern-on-the-quay' }

export const CUSTOMERS: readonly DemoCustomer[] = [
  ALICE,
  { id: 'bob', name: 'Bob Beaumont', password: 'seven-grey-herons' },
]

/** The greatest length of a password, because hashing longer input only takes time. */
const MAX_PASSWORD_LENGTH = 128

let opened: Promise<Accounts> | undefined

/** The customers who may log in, with the hashes of their passwords. */
export class Accounts {
  readonly #hashes: ReadonlyMap<string, HashedPassword>
  readonly #decoy: HashedPassword

  private constructor(hashes: ReadonlyMap<string, HashedPassword>, decoy: HashedPassword) {
    this.#hashes = hashes
    this.#decoy = decoy
  }

  /** Hashes the passwords once per process, because every bank has the same customers. */
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

  /** Returns the customers to whom this customer may send money. */
  others(id: string): readonly Customer[] {
    return CUSTOMERS.filter((customer) => customer.id !== id)
  }

  /**
   * Returns the customer with this name and password. An unknown name costs one hash too, so that the time does not
   * tell who banks here.
   */
  async check(id: string, password: string): Promise<Customer | undefined> {
    const isPlausible = password.length <= MAX_PASSWORD_LENGTH
    const isRight = await verifyPassword(isPlausible ? password : '', this.#hashes.get(id) ?? this.#decoy)
    return isRight ? this.find(id) : undefined
  }
}
