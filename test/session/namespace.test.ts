import t from 'tap'
import { defaultNamespace, readName, readRecord, storedName, storedRecord } from '../../lib/session/namespace.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

t.test('an app with a default cookie name has the empty namespace, any other app its cookie name', async (t) => {
  for (const name of ['session', '__Host-session', '__Secure-session']) t.equal(defaultNamespace(name), '')
  t.equal(defaultNamespace('__Host-admin'), '__Host-admin')
})

t.test('in the empty namespace a user goes by the id alone', async (t) => {
  t.equal(storedName('', '7'), '7')
})

const users = ['7', 'admin', '\0admin\x007', '\0', '\0\0', 'a\0b', '']
const namespaces = ['', 'admin', 'a', '__Host-admin']

t.test('no user id of one namespace is a name in another one', async (t) => {
  const names = namespaces.flatMap((namespace) => users.map((user) => storedName(namespace, user)))
  t.equal(new Set(names).size, names.length)
})

t.test('a stored name gives back the namespace and the user id', async (t) => {
  for (const namespace of namespaces) {
    for (const userId of users) t.strictSame(readName(storedName(namespace, userId)), { namespace, userId })
  }
})

t.test('a record is read in its own namespace only', async (t) => {
  const record = { ...recordAt(0), userId: '7' }
  for (const namespace of namespaces) {
    const stored = storedRecord(namespace, record)
    for (const other of namespaces) t.strictSame(readRecord(other, stored), other === namespace ? record : undefined)
  }
})

t.test('the record of nobody belongs to no namespace', async (t) => {
  const record = { ...recordAt(0), userId: null }
  t.equal(storedRecord('admin', record), record)
  t.equal(readRecord('shop', record), record)
})
