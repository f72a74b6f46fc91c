import t from 'tap'
import { deviceName } from '../../lib/demo/device-name.ts'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'

t.test('a User-Agent is shown as the browser and its system', async (t) => {
  for (const [userAgent, name] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0`, 'Edge on Windows'],
    [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/140.0 Safari/537.36`, 'Chrome on Linux'],
    [`Mozilla/5.0 (Linux; Android 15) ${WEBKIT} Chrome/140.0 Mobile Safari/537.36`, 'Chrome on Android'],
    [`Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) ${WEBKIT} Version/18.0 Safari/605.1.15`, 'Safari on macOS'],
    [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${WEBKIT} Version/18.0 Safari/604.1`, 'Safari on iOS'],
    ['curl/8.14.1', 'curl'],
  ] as const) {
    t.equal(deviceName(userAgent), name)
  }
})

t.test('an unknown User-Agent is shown shortened, and an empty one is said to be missing', async (t) => {
  t.equal(deviceName('lynx'), 'lynx')
  t.equal(deviceName('x'.repeat(500)).length, 120)
  t.match(deviceName(''), /does not say its name/)
})
