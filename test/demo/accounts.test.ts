import t from 'tap'
import { Accounts, CUSTOMERS } from '../../lib/demo/accounts.ts'

const accounts = await Accounts.open()

t.test('each customer logs in with the password that the page prints', async (t) => {
  for (const { id, password } of CUSTOMERS) t.match(await accounts.check(id, password), { id })
})

t.test("no customer logs in with another's password, an empty one, or one that only begins right", async (t) => {
  t.equal(await accounts.check('alice', 'seven-grey-herons'), undefined)
  t.equal(await accounts.check('alice', ''), undefined)
  t.equal(await accounts.check('alice', 'lantern-on-the-quay'.padEnd(129, ' ')), undefined)
})

t.test('nobody is logged in under a name that does not bank here', async (t) => {
  for (const id of ['', 'carol', '__proto__', 'Alice']) {
    t.equal(await accounts.check(id, 'nobody has this one'), undefined, id)
  }
})

t.test('an unknown name takes as long as a known one', async (t) => {
  const known = await costOf('alice')
  t.ok((await costOf('carol')) > known / 4, 'both hash')
})

t.test('a customer can send to everybody else', async (t) => {
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
