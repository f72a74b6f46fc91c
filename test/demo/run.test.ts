import { createHash, X509Certificate } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t from 'tap'
import { makeCertificate } from '../../lib/demo/certificate.ts'
import { run } from '../../lib/demo/run.ts'

/** The folder for files that outlast a bank. */
const FOLDER = t.testdir()

/** The output of the command, and its exit code. */
interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command. When the bank is ready, calls `visit`, and then stops the command. */
async function ran(
  argv: string[],
  env: NodeJS.ProcessEnv = {},
  visit: (url: string) => Promise<void> = async () => undefined,
  folder: string = join(FOLDER, 'bank'),
): Promise<Ran> {
  const said = { out: '', err: '' }
  const terminal = new EventEmitter()
  const visited = once(terminal, 'ready').then(async ([url]: string[]) => visit(url ?? ''))
  const code = await run(argv, env, {
    out: (line) => {
      said.out += `${line}\n`
      const [, url] = /Bank ready at (\S+)/.exec(line) ?? []
      if (url !== undefined) terminal.emit('ready', url)
    },
    err: (line) => {
      said.err += `${line}\n`
    },
    folder,
    stopped: visited,
  })
  return { code, ...said }
}

t.test(
  'the bank starts without a warning, says its address when it answers there, and closes when told to',
  async (t) => {
    let address = ''
    const { code, out, err } = await ran([], { PORT: '0' }, async (url) => {
      address = url
      t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
      t.equal((await fetch(url)).status, 200)
    })
    t.equal(code, 0)
    t.match(out, 'Environment: development.')
    t.match(out, `Attack it at ${address}/attacks\n`)
    t.match(out, 'Log in as alice (lantern-on-the-quay) or bob (seven-grey-herons).')
    t.match(out, /^Sessions are kept/, 'the first line is not a warning')
    t.equal(err, '', 'and there is no warning at all')
    await t.rejects(fetch(address))
  },
)

t.test(
  'with --https the bank answers over https under localhost, and says how to start a browser for it',
  async (t) => {
    let certificate: X509Certificate | undefined
    const { code, out, err } = await ran(['--https'], { PORT: '0' }, async (url) => {
      t.match(url, /^https:\/\/localhost:\d+$/)
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      certificate = socket.getPeerX509Certificate()
      socket.destroy()
    })
    t.equal(code, 0)
    t.equal(err, '')
    t.ok(certificate?.checkHost('localhost'), 'the certificate is for localhost')
    t.ok(certificate?.checkIP('127.0.0.1'), 'and for 127.0.0.1')
    t.ok(certificate?.verify(certificate.publicKey), 'and signs itself')
    const spki = certificate?.publicKey.export({ type: 'spki', format: 'der' }) ?? ''
    const pin = createHash('sha256').update(spki).digest('base64')
    t.ok(out.includes(` --ignore-certificate-errors-spki-list=${pin} https://localhost:`))
  },
)

t.test('each start with --https makes a certificate with a number of its own', async (t) => {
  const [one, other] = [makeCertificate(), makeCertificate()].map(({ cert }) => new X509Certificate(cert))
  t.not(one?.serialNumber, other?.serialNumber, 'browsers refuse two certificates of one issuer with one number')
})

t.test('the bank says where it keeps its sessions', async (t) => {
  t.match((await ran([], { PORT: '0' })).out, 'Sessions are kept in memory: they end with this process.\n')
  const folder = join(FOLDER, 'bank')
  const { code, out, err } = await ran(['--store', 'sqlite'], { PORT: '0' })
  t.equal(code, 0)
  t.match(
    out,
    `Sessions are kept in ${join(folder, 'sessions.db')}, and the secret that signs them in ${join(folder, 'secret')}. `,
  )
  t.equal(err, '', 'the guard does not warn about the secret')
})

t.test('a bank that cannot keep its sessions says so, and does not open', async (t) => {
  for (const [name, content] of [
    ['sessions.db', {}],
    ['sessions.db', 'This is no database. '.repeat(100)],
    ['secret', {}],
  ] as const) {
    const { code, out, err } = await ran(
      ['--store', 'sqlite'],
      { PORT: '0' },
      undefined,
      t.testdir({ [name]: content }),
    )
    t.equal(code, 1)
    t.equal(out, '')
    t.match(err, /^Sessions cannot be kept in \/[^\n]+: [^\n]+\n$/)
  }
})

t.test('the bank listens on 127.0.0.1 and on no other address', async (t) => {
  await ran([], { PORT: '0' }, async (url) => {
    // One of these would answer if the app listened on every address of this computer, or on `localhost`.
    for (const other of ['127.0.0.2', '[::1]']) await t.rejects(fetch(url.replace('127.0.0.1', other)), other)
  })
})

t.test('the terminal tells what happens to sessions, without ids', async (t) => {
  let id = ''
  const { out } = await ran([], { PORT: '0' }, async (url) => {
    const body = new URLSearchParams({ name: 'alice', password: 'lantern-on-the-quay' })
    const { headers } = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' })
    id = /session=([^;]+)/.exec(headers.get('set-cookie') ?? '')?.[1] ?? ''
  })
  const [handle = '', secret = 'none'] = id.split('.')
  t.match(out, `· session login alice ${handle}\n`)
  t.notMatch(out, secret)
})

t.test('a cookie that is not Secure is refused in production, with the report', async (t) => {
  const { code, out, err } = await ran(['--insecure'], { PORT: '0' })
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /^SecureSessionConfigError \[SESSION_GUARD_REFUSED\]: refused to start: 3 fatal/)
  t.match(err, /fatal {2}session\/secure-required\n {4}at {5}cookie\.secure = false/)
  t.match(err, 'environment: production')
  t.match(err, /\n {2}start it safely: npm start\n$/)
  t.notMatch(err, 'check again', 'there is no app in a file that could be checked')
})

t.test('a cookie for other sites that is not Secure is refused, with the report', async (t) => {
  const { code, err } = await ran(['--samesite', 'none'], { PORT: '0' })
  t.equal(code, 1)
  t.match(err, /fatal {2}session\/samesite-none-requires-secure\n {4}at {5}cookie\.sameSite = "none"/)
})

t.test('a taken port is explained', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, err } = await ran([], { PORT: String(port) })
  t.equal(code, 1)
  t.match(err, `Port ${port} is taken. Choose another: PORT=3100 npm start`)
})

t.test('a mistake is named and the usage shown', async (t) => {
  const { code, out, err } = await ran(['--bogus'])
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, "Unknown option '--bogus'")
  t.match(err, 'Usage: npm start')
})

t.test('--help prints the usage', async (t) => {
  const { code, out, err } = await ran(['--help'])
  t.equal(code, 0)
  t.match(out, 'Usage: npm start')
  t.equal(err, '')
})
