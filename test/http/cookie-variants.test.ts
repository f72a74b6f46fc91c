import t from 'tap'
import { foreignVariants } from '../../lib/http/cookie-variants.ts'
import type { Settings } from '../../lib/options.ts'

/** Lists variants as domain and path, with `+` in front of those in the jar of `Partitioned`. */
function variants(cookie: Partial<Settings['cookie']>, host: string, url = '/'): string[] {
  const whole = { name: 'sid', path: '/', partitioned: false, ...cookie } as Settings['cookie']
  return foreignVariants(whole, host, url).map(({ domain = '', path, partitioned }) => {
    return `${partitioned ? '+' : ''}${domain}${path}`
  })
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

t.test('a Partitioned cookie has twins of all variants in the other jar, and any other cookie has none', async (t) => {
  t.strictSame(variants({}, 'box', '/a'), ['/a'])
  t.strictSame(variants({ partitioned: true }, 'box', '/a'), ['/', '+/a', '/a'])
  const own = { partitioned: true, domain: 'example.com' }
  const all = ['example.com/', '+/', '+shop.example.com/', '/', 'shop.example.com/']
  t.strictSame(variants(own, 'shop.example.com'), all)
})

t.test('a __Host- cookie has one variant, in the other jar', async (t) => {
  const name = '__Host-sid'
  t.strictSame(variants({ name }, 'app.example.com', '/a'), ['+/'])
  t.strictSame(variants({ name, partitioned: true }, 'app.example.com', '/a'), ['/'])
  t.strictSame(variants({ name: '__Secure-sid' }, 'app.example.com'), ['app.example.com/', 'example.com/'])
})

t.test('a long host makes no long response', async (t) => {
  for (const partitioned of [true, false]) {
    t.equal(variants({ partitioned }, 'a.'.repeat(120) + 'example', '/a/b/c').length, 16)
  }
})
