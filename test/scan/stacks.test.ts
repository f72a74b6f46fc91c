import t from 'tap'
import { scanDeployment } from '../../lib/scan/scan.ts'
import type { ScanResult } from '../../lib/scan/scan.ts'
import { named } from '../guard/configs.ts'
import { CERTIFICATE } from './deployments.ts'
import { behindTls, startIron, startKoa, startTarget } from './targets.ts'

async function scan(url: URL, logout = '/logout', password = 'right'): Promise<ScanResult> {
  const at = (path: string): URL => new URL(path, url)
  return scanDeployment({
    url,
    pages: [],
    httpUrl: new URL('http://127.0.0.1:1/'),
    login: { user: 'anna', password, page: at('/login'), check: url, logout: at(logout) },
    environment: undefined,
    timeout: 60_000,
    ca: CERTIFICATE,
    clock: Date.now,
  })
}

const aboutLogin = ({ findings }: ScanResult): string[] =>
  named(findings).filter((finding) => /login-|logout-|session-id|cacheable|twice/.test(finding))

t.test('Django over https, with its CSRF check and a logout that asks again, passes', async (t) => {
  const url = await behindTls(t, await startTarget(t, 'django'))
  const result = await scan(url)
  t.strictSame(result.notes, [])
  t.strictSame(aboutLogin(result), [])
  t.ok(result.isComplete)
})

t.test('a logout that Django refuses is a note, and no finding', async (t) => {
  const url = await startTarget(t, 'django')
  const result = await scan(url, '/stubborn')
  t.match(result.notes, [/the logout at \/stubborn was not accepted \(status 200\)/])
  t.strictSame(aboutLogin(result), [])
  t.notOk(result.isComplete)
})

t.test('a wrong password says which status the login had', async (t) => {
  const result = await scan(await startTarget(t, 'django'), '/logout', 'wrong')
  t.match(result.notes[0], /the login was refused: it shows its form again, with status 200/)
})

t.test('Flask keeps the session in the cookie, and a copy of the cookie outlives the logout', async (t) => {
  const result = await scan(await startTarget(t, 'flask'))
  t.strictSame(result.notes, [])
  t.strictSame(aboutLogin(result), ['fatal logout-keeps-session'])
  t.match(
    result.findings.find(({ rule }) => rule === 'session/logout-keeps-session')?.message,
    /stands in the cookie session itself/,
  )
})

t.test('PHP with session_regenerate_id and session_destroy passes', async (t) => {
  const result = await scan(await startTarget(t, 'php'))
  t.strictSame(result.notes, [])
  t.strictSame(aboutLogin(result), [])
})

t.test('PHP without session_regenerate_id and session_destroy is found', async (t) => {
  const result = await scan(await startTarget(t, 'php', { TARGET: 'weak' }))
  t.strictSame(aboutLogin(result), ['fatal login-keeps-id', 'fatal logout-keeps-session'])
  t.match(
    result.findings.find(({ rule }) => rule === 'session/logout-keeps-session')?.message,
    /copy of the cookie still works/,
  )
})

t.test('koa-session keeps the session in the cookie, which is said', async (t) => {
  const result = await scan(await startKoa(t))
  t.strictSame(result.notes, [])
  t.strictSame(aboutLogin(result), ['fatal logout-keeps-session'])
})

t.test('iron-session is found by experiment, and cookies that carry no login are not judged', async (t) => {
  const result = await scan(await startIron(t))
  t.strictSame(result.notes, [])
  t.strictSame(aboutLogin(result), ['fatal logout-keeps-session'])
  const text = JSON.stringify(result.findings)
  t.match(text, 'prefs-of-visitor')
  t.notMatch(text, /returnTo|_fbp/)
})
