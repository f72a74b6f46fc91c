import t from 'tap'
import { StoreUrlError } from '../../../lib/stores/open/opened.ts'
import { openUrl, schemeOf } from '../../../lib/stores/open/store-url.ts'
import { temporaryFolder } from '../../support/sqlite.ts'

t.test('a text that names no store is refused, and only its scheme is repeated', async (t) => {
  const from = [temporaryFolder(t)] as const
  const stores = 'a store begins with redis://, rediss://, postgres:// or sqlite:'
  const invalid = 'no valid URL: scheme://user:password@host/name, special characters as %XX.'
  const wrong = {
    secret: `${stores}.`,
    'mysql://u:secret@h/x': `${stores}, not with mysql:.`,
    "'redis://h'": `${stores}, not with a quotation mark.`,
    'redis:secret@127.0.0.1': invalid,
    'postgres:secret@127.0.0.1/x': invalid,
    'rediss://:secret@127.0.0.1:99999': invalid,
    'redis://:100%@127.0.0.1': 'a % in a name or password goes as %25.',
    'redis://100%:secret@127.0.0.1': 'a % in a name or password goes as %25.',
  }
  for (const [url, message] of Object.entries(wrong)) {
    const error: unknown = await openUrl(url, { from, isApp: false }).catch((reason: unknown) => reason)
    t.type(error, StoreUrlError)
    t.equal((error as Error).message, message)
  }
})

t.test('both names of a scheme need the same driver, in capital letters too', async (t) => {
  const from = [temporaryFolder(t)] as const
  const needs = { postgres: 'pg', postgresql: 'pg', redis: 'redis', rediss: 'redis', REDIS: 'redis' }
  for (const [scheme, name] of Object.entries(needs)) {
    await t.rejects(openUrl(`${scheme}://127.0.0.1`, { from, isApp: false }), { message: `npm install ${name}` })
  }
  t.equal(schemeOf('Redis://h'), 'redis')
  t.equal(schemeOf('no url'), undefined)
})
