import t from 'tap'
import { defaultNamespace, indexName } from '../../lib/storage/namespace.ts'

t.test('an app with the default cookie name has the empty namespace, any other app its cookie name', async (t) => {
  t.equal(defaultNamespace('session'), '')
  t.equal(defaultNamespace('__Host-session'), '')
  t.equal(defaultNamespace('__Host-admin'), '__Host-admin')
})

t.test('in the empty namespace a user goes by the id alone, so that stored sessions are found', async (t) => {
  t.equal(indexName('', '7'), '7')
})

t.test('no user id of one namespace is a name in another one', async (t) => {
  const users = ['7', 'admin', '\0admin\x007', '\0', '\0\0', 'a\0b', '']
  const namespaces = ['', 'admin', 'a', '__Host-admin']
  const names = namespaces.flatMap((namespace) => users.map((user) => indexName(namespace, user)))
  t.equal(new Set(names).size, names.length)
})
