import * as fc from 'fast-check'
import t from 'tap'
import { findCookie, singleCookie } from '../../lib/http/read-cookie.ts'

t.test('finds a cookie among others', async (t) => {
  t.same(findCookie('a=1; session=x.y; b=2', 'session'), { count: 1, value: 'x.y' })
  t.same(findCookie('session=x', 'session'), { count: 1, value: 'x' })
  t.same(findCookie('a=1;session=x;b=2', 'session'), { count: 1, value: 'x' }, 'no space after the semicolon')
  t.same(findCookie('  session = x  ', 'session'), { count: 1, value: 'x' }, 'white space around name and value')
  t.same(findCookie('a=1;\tsession\t=\tx\t', 'session'), { count: 1, value: 'x' }, 'tabs too')
  t.same(findCookie('session=a=b==', 'session'), { count: 1, value: 'a=b==' }, 'the first = ends the name')
  t.same(findCookie('session=', 'session'), { count: 1, value: '' })
})

t.test('a name is the whole name, in its own case', async (t) => {
  for (const header of [
    'sessions=x',
    'xsession=x',
    'session.sig=x',
    '__Host-session=x',
    'Session=x',
    'session',
    'a=session',
    '',
  ]) {
    t.same(findCookie(header, 'session'), { count: 0, value: '' }, header)
  }
  t.same(findCookie('session=x', '__Host-session'), { count: 0, value: '' })
})

t.test('a cookie has a value if it stands in the header once', async (t) => {
  t.equal(singleCookie('a=1; session=x', 'session'), 'x')
  t.equal(singleCookie('session=x; session=x', 'session'), '')
  t.equal(singleCookie('a=1', 'session'), '')
  t.equal(singleCookie(undefined, 'session'), '')
})

t.test('counts every cookie of the name', async (t) => {
  t.same(findCookie('session=x; session=y', 'session'), { count: 2, value: 'x' })
  t.equal(findCookie('session=x;;; session =y;session= z', 'session').count, 3)
})

t.test('finds what stands in the header, whatever stands beside it', async (t) => {
  const pair = fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[\w.="-]{0,20}$/))
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 8 }), fc.constantFrom('; ', ';', ' ; '), (pairs, separator) => {
      const header = pairs.map(([name, value]) => `${name}=${value}`).join(separator)
      const same = pairs.filter(([name]) => name === 'a')
      const found = findCookie(header, 'a')
      return found.count === same.length && found.value === (same[0]?.[1] ?? '')
    }),
  )
  t.pass()
})
