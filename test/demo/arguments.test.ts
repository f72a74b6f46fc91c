import t from 'tap'
import { readArguments } from '../../lib/demo/arguments.ts'

t.test('without arguments the bank is served in development on port 3000', async (t) => {
  t.strictSame(readArguments([], {}), {
    kind: 'serve',
    port: 3000,
    store: 'memory',
    isHttps: false,
    session: { environment: 'development', cookie: {} },
  })
})

t.test('PORT chooses another port, and 0 chooses a free port', async (t) => {
  for (const port of [0, 80, 3100, 65_535]) t.match(readArguments([], { PORT: String(port) }), { kind: 'serve', port })
})

t.test('a PORT that is not a port number is a mistake, told on one line', async (t) => {
  for (const PORT of ['', 'abc', '-1', '65536', '3000 ', '0x50', '1e3', '300000', '3\n0']) {
    const asked = readArguments([], { PORT })
    t.match(asked, { kind: 'mistake', message: 'PORT is a number from 0 to 65535' })
    t.notMatch(asked.kind === 'mistake' && asked.message, '\n')
  }
})

t.test('--insecure asks for production with a cookie that is not Secure', async (t) => {
  t.match(readArguments(['--insecure'], {}), { session: { environment: 'production', cookie: { secure: false } } })
})

t.test('--samesite none asks for production with a cookie that may lack Secure', async (t) => {
  t.match(readArguments(['--samesite', 'none'], {}), {
    session: { environment: 'production', cookie: { sameSite: 'none', secure: 'auto' } },
  })
  t.match(readArguments(['--insecure', '--samesite=none'], {}), {
    session: { environment: 'production', cookie: { sameSite: 'none', secure: false } },
  })
})

t.test('--https asks for sessions that are bound to devices, with a cookie that travels over https only', async (t) => {
  const session = {
    environment: 'development',
    deviceBound: true,
    cookie: { name: '__Host-session', secure: true },
  }
  t.strictSame(readArguments(['--https'], {}), { kind: 'serve', port: 3000, store: 'memory', isHttps: true, session })
  t.match(readArguments(['--https', '--samesite', 'none'], {}), {
    session: { environment: 'development', cookie: { sameSite: 'none', secure: true } },
  })
  t.match(readArguments([], {}), { isHttps: false })
  t.match(readArguments(['--https', '--insecure'], {}), {
    kind: 'mistake',
    message: '--https and --insecure exclude each other',
  })
})

t.test('--samesite strict and --samesite lax stay in development', async (t) => {
  for (const sameSite of ['strict', 'lax']) {
    const asked = readArguments(['--samesite', sameSite], {})
    t.match(asked, { session: { environment: 'development', cookie: { sameSite } } })
  }
})

t.test('the bank keeps sessions in memory unless --store names another store', async (t) => {
  t.match(readArguments([], {}), { store: 'memory' })
  for (const store of ['memory', 'sqlite']) t.match(readArguments(['--store', store], {}), { kind: 'serve', store })
  t.match(readArguments(['--store', 'redis\n'], {}), {
    kind: 'mistake',
    message: '--store is memory or sqlite, not "redis\\n"',
  })
})

t.test('an unknown argument is a mistake', async (t) => {
  for (const argv of [
    ['--unknown'],
    ['extra'],
    ['--samesite'],
    ['--samesite', 'None'],
    ['--store'],
    ['--insecure=yes'],
    ['-x'],
  ]) {
    t.equal(readArguments(argv, {}).kind, 'mistake', argv.join(' '))
  }
  t.equal(readArguments(['--help'], {}).kind, 'help')
})
