import t from 'tap'
import { localPath } from '../../lib/index.ts'
import { isLocalPath } from '../../lib/session/local-path.ts'

t.test('a path of this app is taken as it is', async (t) => {
  for (const path of [
    '/',
    '/account',
    '/account?tab=2#top',
    '/a/../b',
    '/%2F%2Fevil.example',
    '/ü',
    '/@evil.example',
  ]) {
    t.equal(localPath(path), path)
  }
})

t.test('whatever leads a browser away from this app is replaced', async (t) => {
  const foreign = [
    ...['https://evil.example', 'http:evil.example', '//evil.example', '///evil.example', '/\\evil.example'],
    ...['\\\\evil.example', '/\t/evil.example', '/\n/evil.example', '\t//evil.example', ' //evil.example', '/ /evil'],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'evil.example',
      '',
      '?a',
      '#a',
      '/./\\evil.example',
      '/.//evil.example',
    ],
    ...['/a/..//evil.example', '/\u0000/evil.example', '/\u007f', `/${'x'.repeat(3000)}`],
    ...[undefined, null, 5, ['/a'], { toString: () => '/a' }],
  ]
  for (const value of foreign) {
    t.equal(isLocalPath(value), false, String(value))
    t.equal(localPath(value), '/')
    t.equal(localPath(value, '/home'), '/home')
  }
})

t.test('a path of 2048 characters is taken, and a longer one is not', async (t) => {
  const longest = `/${'x'.repeat(2047)}`
  t.equal(localPath(longest), longest)
  t.equal(localPath(`${longest}x`), '/')
})

t.test('no path that is taken leads to another host', async (t) => {
  const parts = ['/', '//', '\\', '.', '..', '@', ':', 'evil.example', '%2f', '%5c', '\t', '?', '#', 'https:', ' ']
  for (const a of parts) {
    for (const b of parts) {
      for (const c of parts) {
        const value = `/${a}${b}${c}evil.example`
        if (!isLocalPath(value)) continue
        if (new URL(value, 'https://app.example/login').origin !== 'https://app.example') t.fail(value)
      }
    }
  }
  t.pass()
})
