import t from 'tap'
import { Accounts, CUSTOMERS } from '../../lib/demo/accounts.ts'

const accounts = await Accounts.open()

t.test('each customer can log in with the password that the login page prints', async (t) => {
  for (const { id, password } of CUSTOMERS) t.match(await accounts.check(id, password), { id })
})

t.test(
  "no customer can log in with another customer's password, an empty password, or one that only begins right",
  async (t) => {
    t.equal(await accounts.check('alice', 'seven-grey-herons'), undefined)
    t.equal(await accounts.check('alice', ''), undefined)
    t.equal(await accounts.check('alice', 'lantern-on-the-quay'.padEnd(129, ' ')), undefined)
  },
)

t.test('nobody can log in under a name that is not a customer', async (t) => {
  for (const id of ['', 'carol', '__proto__', 'Alice']) {
    t.equal(await accounts.check(id, 'nobody has this one'), undefined, id)
  }
})

t.test('checking an unknown name takes as long as checking a known name', async (t) => {
  const known = await costOf('alice')
  t.ok((await costOf('carol')) > known / 4, 'both hash')
})

t.test('a customer can send money to every other customer', async (t) => {
  t.match(accounts.others('alice'), [{ id: 'bob' }])
  t.equal(accounts.others('alice').length, CUSTOMERS.length - 1)
})

/** Microseconds of processor time that a wrong password takes. */
async function costOf(id: string): Promise<number> {
  const start = process.cpuUsage()
  await accounts.check(id, 'wrong')
  const { user, system } = process.cpuUsage(start)
  return user + system
}
