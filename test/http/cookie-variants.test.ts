import t from 'tap'
import { foreignVariants } from '../../lib/http/cookie-variants.ts'
import type { Settings } from '../../lib/options.ts'

function variants(cookie: Partial<Settings['cookie']>, host: string, url = '/'): string[] {
  const whole = { name: 'sid', path: '/', ...cookie } as Settings['cookie']
  return foreignVariants(whole, host, url).map(({ domain = '', path }) => `${domain}${path}`)
}

t.test(
  'the host-only cookie and those of the host and its parents are listed, without the one that is set',
  async (t) => {
    t.strictSame(variants({}, 'app.shop.example.com'), ['app.shop.example.com/', 'shop.example.com/', 'example.com/'])
    t.strictSame(variants({ domain: 'example.com' }, 'Shop.Example.com:8443'), ['/', 'shop.example.com/'])
    t.strictSame(variants({ domain: '.Example.com' }, 'shop.example.com'), ['/', 'shop.example.com/'])
  },
)

t.test('the folders of the path are listed too, for a cookie.path that changed', async (t) => {
  const url = '/app/orders/7/edit/more?next=/x/y'
  t.strictSame(variants({}, 'box'), [])
  t.strictSame(variants({}, 'box', url), ['/app', '/app/orders', '/app/orders/7'])
  t.strictSame(variants({ path: '/app' }, 'box', url), ['/', '/app/orders', '/app/orders/7'])
  t.strictSame(variants({}, 'box', '/a;b/%zz/c d/\u00e4/e'), ['/a'], 'what no Set-Cookie can carry is left out')
})

t.test(
  'an address and a name without a dot have no domain, which browsers would take for the host-only cookie',
  async (t) => {
    const hosts = ['localhost:3000', '127.0.0.1', '[::1]:3000', 'web', '']
    for (const host of hosts) t.strictSame(variants({}, host), [], host)
  },
)

t.test('a __Host- cookie has no variants', async (t) => {
  t.strictSame(variants({ name: '__Host-sid' }, 'app.example.com', '/a'), [])
  t.strictSame(variants({ name: '__Secure-sid' }, 'app.example.com'), ['app.example.com/', 'example.com/'])
})

t.test('a long host makes no long response', async (t) => {
  t.equal(variants({}, 'a.'.repeat(120) + 'example', '/a/b/c').length, 16)
})
