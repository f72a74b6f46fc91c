import t from 'tap'
import { CUSTOMERS } from '../../lib/demo/accounts.ts'
import { accountPage } from '../../lib/demo/pages/account.ts'
import { devicesPage } from '../../lib/demo/pages/devices.ts'

t.test('an account without transfers says so', async (t) => {
  const [customer = { id: '', name: '' }, ...recipients] = CUSTOMERS
  const form = { to: '', amount: '', reference: '' }
  const { body } = accountPage({ customer, balance: 0, transfers: [], recipients, form })
  t.match(String(body), 'None yet.')
})

t.test('a session without device facts is listed with a name that says so', async (t) => {
  const at = new Date(0)
  const session = {
    handle: 'h',
    userId: 'alice',
    createdAt: at,
    authenticatedAt: at,
    lastSeenAt: at,
    idleDeadline: at,
    absoluteDeadline: at,
    remember: false,
    device: null,
    label: null,
    isDeviceBound: false,
    acting: null,
    current: false,
  }
  const page = String(devicesPage({ sessions: [session], own: 'h', now: 0 }).body)
  t.match(page, 'A program that does not say its name')
  t.match(page, 'Handle <code>h</code>')
})
