import t from 'tap'
import { isCrossOrigin } from '../../lib/http/cross-origin.ts'

const TRUSTED = new Set(['https://partner.example'])
const HOST = 'app.example'
const OWN = 'https://app.example'
const ALIEN = 'https://evil.example'
const PARTNER = 'https://partner.example'

t.test('methods that change nothing pass, from anywhere', async (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
    t.notOk(isCrossOrigin(method, { host: HOST, origin: ALIEN, 'sec-fetch-site': 'cross-site' }, TRUSTED), method)
  }
})

const TABLE: [site: string | undefined, origin: string | undefined, refused: boolean][] = [
  ['same-origin', undefined, false],
  ['same-origin', OWN, false],
  ['none', undefined, false],
  ['same-site', undefined, true],
  ['same-site', 'https://sibling.app.example', true],
  ['same-site', PARTNER, false],
  ['cross-site', undefined, true],
  ['cross-site', ALIEN, true],
  ['cross-site', OWN, true],
  ['cross-site', 'null', true],
  ['cross-site', PARTNER, false],
  ['cross-site', 'https://partner.example.evil.example', true],
  ['cross-site', 'http://partner.example', true],
  ['', undefined, true],
  ['same-origin, cross-site', OWN, true],
  ['Same-Origin', OWN, true],
  [undefined, undefined, false],
  [undefined, OWN, false],
  [undefined, 'http://app.example', false],
  [undefined, 'https://app.example:8443', true],
  [undefined, ALIEN, true],
  [undefined, PARTNER, false],
  [undefined, 'null', true],
  [undefined, '', true],
  [undefined, 'app.example', true],
  [undefined, '\u0000', true],
]

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
  t.test(`${method}: Sec-Fetch-Site decides, without it the Origin, and with neither it is no browser`, async (t) => {
    for (const [site, origin, refused] of TABLE) {
      const headers = {
        host: HOST,
        ...(origin !== undefined && { origin }),
        ...(site !== undefined && { 'sec-fetch-site': site }),
      }
      t.equal(isCrossOrigin(method, headers, TRUSTED), refused, JSON.stringify(headers))
    }
  })
}

t.test('the own host is compared with its port, in any case, and by :authority in HTTP/2', async (t) => {
  t.notOk(isCrossOrigin('POST', { host: 'App.Example:8080', origin: 'http://app.example:8080' }, TRUSTED))
  t.notOk(isCrossOrigin('POST', { ':authority': HOST, origin: OWN }, TRUSTED))
  t.ok(isCrossOrigin('POST', { host: 'app.example:8080', origin: 'http://app.example:9090' }, TRUSTED))
  t.ok(isCrossOrigin('POST', { origin: OWN }, TRUSTED), 'no host at all')
})
