import { join } from 'node:path'
import t from 'tap'
import { CERTIFICATE, ID, page, serve, serveTls } from '../scan/deployments.ts'
import { guide } from '../support/guides.ts'
import { blocksOf } from '../support/markdown.ts'
import { isPrinted } from '../support/readme-runner.ts'
import { cli } from './harness.ts'

t.test('a deployment is judged from outside', async (t) => {
  const url = await serve(t, page({ 'set-cookie': `connect.sid=${ID}; Path=/` }))
  const { code, out, err } = await cli(['scan', url.href])
  t.match(out, `${url.href}: 2 fatal, 2 warnings, 1 info\n  environment: production (scan from outside)`)
  t.match({ code, err }, { code: 1, err: '' })
})

t.test('a part of the deployment that could not be examined is noted beside the report', async (t) => {
  const url = await serveTls(t, page({ 'strict-transport-security': 'max-age=31536000; includeSubDomains' }))
  const cwd = t.testdir({ 'ca.pem': CERTIFICATE })
  const argv = [
    'scan',
    url.href,
    '--ca',
    'ca.pem',
    '--path',
    '/a',
    '--path',
    '/b',
    '--http',
    'http://127.0.0.1:1/',
    '--format',
    'json',
  ]
  const { code, out, err } = await cli(argv, { cwd })
  t.equal(code, 0)
  const { target, findings } = JSON.parse(out) as { target: string; findings: unknown }
  t.equal(target, url.href)
  t.strictSame(findings, [])
  t.match(err, /^Note: no session cookie was seen/)
})

t.test('user and password of a login come from the environment', async (t) => {
  const url = await serve(t, page({}))
  const argv = ['scan', url.href, '--login', '/login']
  t.match(await cli(argv), { code: 2, err: '--login needs SCAN_USER and SCAN_PASSWORD' })
  t.match(await cli(argv, { env: { SCAN_USER: 'anna' } }), { code: 2 })
  const env = { SCAN_USER: 'anna', SCAN_PASSWORD: 'hunter2' }
  for (const more of [[], ['--logout', '/logout', '--check', '/me']]) {
    const { code, err, out } = await cli([...argv, ...more], { env })
    t.match({ code, err }, { code: 2, err: 'Note: there is no form with a password on /login (status 200).' })
    t.notMatch(out + err, 'hunter2')
  }
})

t.test('a scan that could not examine a requested part is not clean', async (t) => {
  const good = { 'set-cookie': `__Host-sid=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax` }
  const form = '<form method=post action="/in"><input type=password></form>'
  const url = await serve(t, (request, response) => {
    if (request.url === '/broken') response.destroy()
    else page(request.method === 'POST' ? {} : good, request.method === 'POST' ? 'in' : form)(request, response)
  })
  const env = { SCAN_USER: 'anna', SCAN_PASSWORD: 'hunter2' }
  const codeOf = async (...argv: string[]): Promise<number> => (await cli(['scan', url.href, ...argv], { env })).code
  t.equal(await codeOf(), 0)
  t.equal(await codeOf('--path', '/fine'), 0)
  t.equal(await codeOf('--path', '/broken'), 2)
  t.equal(await codeOf('--login', '/login', '--fail-level', 'info'), 1, 'the id was kept, which counts more')
  const same = await serve(t, (request, response) => {
    page(good, request.method === 'POST' ? 'in' : form)(request, response)
  })
  const login = ['scan', same.href, '--login', '/login']
  t.equal((await cli(login, { env })).code, 0)
  t.equal((await cli([...login, '--logout', '/out'], { env })).code, 2, 'the logout could not be judged')
})

t.test('a host without a server is exit code 2', async (t) => {
  t.match(await cli(['scan', 'http://127.0.0.1:1/']), {
    code: 2,
    out: '',
    err: 'Cannot scan: http://127.0.0.1:1 does not answer: ECONNREFUSED.',
  })
})

t.test('a bug in the scan is not taken for an answer', async (t) => {
  const url = await serve(t, page({ 'set-cookie': `sid=${ID}` }))
  const out = (): never => {
    throw new RangeError('a bug')
  }
  await t.rejects(cli(['scan', url.href], { out }), { message: 'a bug' })
})

t.test('wrong usage says what is wrong', async (t) => {
  const wrong: [string[], string][] = [
    [[], 'scan takes one address'],
    [['http://a.example', 'http://b.example'], 'scan takes one address'],
    [['app.example.com'], 'app.example.com is no http or https address.'],
    [['ftp://a.example'], 'ftp://a.example is no http or https address.'],
    [['http://['], 'http://[ is no http or https address.'],
    [['ftp://anna:pass@a.example'], '<redacted>@a.example is no http or https address.'],
    [['anna:pass@a.example'], '<redacted>@a.example is no http or https address.'],
    [['http://a.example', '--http', 'http://anna:pass@b.example/'], '<redacted>@b.example/ is on another host'],
    [['http://a.example', '--path', 'http://b.example/'], 'http://b.example/ is on another host than a.example.'],
    [['http://a.example', '--path', 'http://['], 'http://[ is no path.'],
    [['http://a.example', '--timeout', '0s'], '--timeout takes a duration like 30s, not 0s.'],
    [['http://a.example', '--ca', 'missing.pem'], '--ca: missing.pem cannot be read.'],
    [['http://a.example', '--format', 'xml'], '--format is one of'],
    [['http://a.example', '--fail-level', 'x'], '--fail-level is one of'],
  ]
  for (const [argv, err] of wrong) t.match(await cli(['scan', ...argv]), { code: 2, out: '', err }, argv.join(' '))
})

t.test('a note is a sentence with one sign at its end', async (t) => {
  const form = '<form method=post action=/login><input name=user><input type=password name=password></form>'
  const url = await serve(t, page({ 'set-cookie': `sid=${ID}` }, form))
  const env = { SCAN_USER: 'anna', SCAN_PASSWORD: 'wrong' }
  const { err } = await cli(['scan', url.href, '--login', '/login', '--path', '/other'], { env })
  t.match(err, /SCAN_PASSWORD right\?$/m)
  for (const note of err.split('\n')) t.match(note, /^Note: .*[^.?!][.?]$/)
})

t.test('a password in the address is never printed', async (t) => {
  const url = await serve(t, page({ 'set-cookie': `sid=${ID}` }))
  url.username = 'anna'
  url.password = 'pass-of-anna'
  url.search = '?key=of-anna'
  for (const format of ['pretty', 'json', 'sarif', 'github']) {
    const { code, out, err } = await cli(['scan', url.href, '--format', format])
    t.equal(code, 1)
    t.notMatch(out + err, 'anna', format)
  }
})

t.test('the sample in the guide of the scan is what a scan prints', async (t) => {
  const blocks = blocksOf(guide('lib/scan/README.md'))
  const sample = blocks.find(({ language, code }) => language === 'text' && code.startsWith('https://'))
  const headers = {
    'set-cookie': `connect.sid=s%3A${ID}; Path=/; HttpOnly`,
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
  }
  const url = await serveTls(t, page(headers))
  const { out } = await cli([
    'scan',
    url.href,
    '--ca',
    join(t.testdir({ 'ca.pem': CERTIFICATE }), 'ca.pem'),
    '--http',
    'http://127.0.0.1:1/',
  ])
  t.ok(isPrinted(String(sample?.code), out.replace(url.href, 'https://app.example.com/')), 'lib/scan/README.md', {
    out,
  })
})
