import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import t from 'tap'
import { WebSocket } from 'ws'
import { makeCertificate } from '../support/certificate.ts'
import { consumerProject } from '../support/consumer.ts'
import { HttpVisitor, startExample } from '../support/example.ts'
import { ROOT } from '../support/imports.ts'
import { run } from '../support/run.ts'
import { freePorts, startRedis } from '../support/servers/redis.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(600_000)
const tarball = await packTarball()
t.teardown(tarball.remove)
const fixtures = join(ROOT, 'test/examples')
const project = await consumerProject(t, tarball, { packages: 'examples', fixtures })
const folders = (await readdir(fixtures, { withFileTypes: true })).filter((entry) => entry.isDirectory())

t.test('every example declares packages that the suite installs, in the same versions', async (t) => {
  const read = async (file: string): Promise<{ dependencies: Record<string, string> }> =>
    JSON.parse(await readFile(join(fixtures, file), 'utf8')) as { dependencies: Record<string, string> }
  const { dependencies: all } = await read('package.json')
  for (const { name } of folders) {
    const { dependencies } = await read(`${name}/package.json`)
    const { 'fastify-session-guard': ours, ...others } = dependencies
    t.equal(ours, '*', name)
    t.strictSame(
      Object.entries(others).filter(([other, version]) => all[other] !== version),
      [],
      name,
    )
  }
})

t.test('pages: a login with a form, messages that are shown once, a logout', async (t) => {
  const { url } = await startExample(t, join(project, 'pages'), ['app.js'])
  const ada = new HttpVisitor(url)
  const form = { origin: url, 'sec-fetch-site': 'same-origin' }
  t.match(await (await ada.get('/')).text(), /name="name"/)
  await ada.post('/login', new URLSearchParams({ name: ' ' }), form)
  t.match(await (await ada.get('/')).text(), /Type a name/)
  t.equal((await ada.post('/login', new URLSearchParams({ name: 'Ada' }), form)).status, 302)
  const cookie = ada.cookie
  t.match(await (await ada.get('/')).text(), /Welcome, Ada[^]*Hello, Ada/)
  t.notMatch(await (await ada.get('/')).text(), /Welcome/, 'a message is shown once')
  await ada.post('/logout', new URLSearchParams(), form)
  t.match(await (await ada.get('/')).text(), /Logged out[^]*name="name"/)
  t.notMatch(await (await fetch(url, { headers: { cookie } })).text(), /Hello/, 'the old cookie opens nothing')
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  t.equal((await ada.post('/login', new URLSearchParams({ name: 'Eve' }), foreign)).status, 403)
})

t.test('api: the app on the other origin logs in with credentials, and no third origin can', async (t) => {
  const origin = 'http://localhost:5173'
  const { url } = await startExample(t, join(project, 'api'), ['app.js'], { APP_ORIGIN: origin })
  const ada = new HttpVisitor(url)
  const own = { origin, 'sec-fetch-site': 'same-site' }
  const login = await ada.post('/session', { name: 'ada' }, own)
  t.equal(login.status, 200)
  t.equal(login.headers.get('access-control-allow-origin'), origin)
  t.equal(login.headers.get('access-control-allow-credentials'), 'true')
  t.match(await (await ada.get('/session', own)).json(), { id: 'ada' })
  const foreign = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }
  t.equal((await ada.post('/session', { name: 'eve' }, foreign)).status, 403)
  t.equal((await ada.delete('/session')).status, 204)
  t.equal((await ada.get('/session', own)).status, 401)
})

/** `login`, `me` and `logout` as most of the examples have them. */
async function logsInAndOut(t: Test, url: string): Promise<void> {
  const ada = new HttpVisitor(url)
  t.equal((await ada.get('/me')).status, 401)
  t.match(await (await ada.post('/login', { name: 'ada' })).json(), { id: 'ada' })
  const { cookie } = ada
  t.match(await (await ada.get('/me')).json(), { id: 'ada' })
  t.equal((await ada.post('/logout')).status, 200)
  t.equal((await ada.get('/me')).status, 401)
  t.equal((await fetch(`${url}/me`, { headers: { cookie } })).status, 401, 'the old cookie opens nothing')
}

t.test('autoload: fastify-cli starts an app whose plugins and routes are files', async (t) => {
  const [port = 0] = await freePorts(1)
  const cli = join(project, 'node_modules/fastify-cli/cli.js')
  const args = [cli, 'start', 'app.js', '--port', String(port), '-l', 'info']
  const { url } = await startExample(t, join(project, 'autoload'), args)
  await logsInAndOut(t, url)
})

t.test('trpc: procedures log in and out, and middleware knows the member', async (t) => {
  const { url } = await startExample(t, join(project, 'trpc'), ['app.js'])
  const ada = new HttpVisitor(url)
  t.equal((await ada.get('/trpc/me')).status, 401)
  const login = await fetch(`${url}/trpc/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify('ada'),
  })
  t.match(await login.json(), { result: { data: { id: 'ada' } } })
  const cookie = login.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  t.match(await (await ada.get('/trpc/me', { cookie })).json(), { result: { data: { id: 'ada' } } })
  t.equal((await ada.post('/trpc/logout', {}, { cookie })).status, 200)
  t.equal((await ada.get('/trpc/me', { cookie })).status, 401)
})

t.test('graphql: mutations log in and out, and a subscription ends with its session', async (t) => {
  const { url } = await startExample(t, join(project, 'graphql'), ['app.js'])
  const ada = new HttpVisitor(url)
  const ask = async (query: string): Promise<unknown> => (await ada.post('/graphql', { query })).json()
  t.match(await ask('{ me { id } }'), { data: { me: null } })
  t.match(await ask('mutation { login(name: "ada") { id } }'), { data: { login: { id: 'ada' } } })
  t.match(await ask('{ me { id } }'), { data: { me: { id: 'ada' } } })

  const listen = (headers: Record<string, string>): WebSocket =>
    new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { origin: url, ...headers },
    })
  const stranger = listen({})
  stranger.on('error', () => undefined)
  const [, refused] = (await once(stranger, 'unexpected-response')) as [unknown, IncomingMessage]
  t.equal(refused.statusCode, 401, 'a stranger may not listen')
  stranger.terminate()
  const socket = listen({ cookie: ada.cookie })
  const closed = once(socket, 'close')
  await once(socket, 'open')
  const next = async (): Promise<unknown> => JSON.parse(String((await once(socket, 'message'))[0]))
  const acknowledged = next()
  socket.send(JSON.stringify({ type: 'connection_init' }))
  t.match(await acknowledged, { type: 'connection_ack' })
  const said = next()
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { said }' } }))
  t.match(await ask('mutation { say(text: "hello") }'), { data: { say: true } })
  t.match(await said, { type: 'next', payload: { data: { said: 'ada: hello' } } })
  t.match(await ask('mutation { logout }'), { data: { logout: true } })
  await closed
  t.match(await ask('mutation { say(text: "hello") }'), { errors: [{ message: 'Log in first.' }] })
})

t.test('proxy: the renderer behind it gets the user in place of the cookie, and no forged header', async (t) => {
  const { url } = await startExample(t, join(project, 'proxy'), ['app.js'])
  const ada = new HttpVisitor(url)
  t.match(await (await ada.get('/', { 'x-user-id': 'admin' })).text(), /Hello, stranger/)
  await ada.post('/api/login', { name: 'ada' })
  const page = await (await ada.get('/some/page', { 'x-user-id': 'admin' })).text()
  t.match(page, /Hello, ada[^]*no cookie/)
  await ada.post('/api/logout')
  t.match(await (await ada.get('/')).text(), /Hello, stranger/)
})

t.test('oauth: a login at a provider begins a session with a new id', async (t) => {
  const provider = createServer((req, res) => {
    res.setHeader('content-type', 'application/json')
    const isProfile = req.url === '/profile' && req.headers.authorization === 'Bearer a-token'
    const token = { access_token: 'a-token', token_type: 'Bearer', expires_in: 60 }
    res.end(JSON.stringify(isProfile ? { sub: 'ada', name: 'Ada' } : token))
  }).listen(0, '127.0.0.1')
  t.teardown(() => provider.close())
  await once(provider, 'listening')
  const PROVIDER_URL = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  const [port = 0] = await freePorts(1)
  const PUBLIC_URL = `http://127.0.0.1:${port}`
  const env = { PROVIDER_URL, PUBLIC_URL, PORT: String(port) }
  const { url } = await startExample(t, join(project, 'oauth'), ['app.js'], env)
  const ada = new HttpVisitor(url)
  const authorize = new URL((await ada.get('/login')).headers.get('location') ?? '')
  t.equal(authorize.origin, PROVIDER_URL)
  t.equal(authorize.searchParams.get('code_challenge_method'), 'S256')
  const state = authorize.searchParams.get('state') ?? ''
  const back = await ada.get(`/callback?code=any&state=${encodeURIComponent(state)}`)
  t.equal(back.headers.get('location'), '/me')
  t.match(await (await ada.get('/me')).json(), { id: 'ada', name: 'Ada' })
  t.equal((await new HttpVisitor(url).get('/callback?code=any&state=forged')).status, 500)
  await ada.post('/logout')
  t.equal((await ada.get('/me')).status, 401)
})

t.test('lambda: cookies of both payload formats come and go as the gateway has them', async (t) => {
  const program = `
    import { app, handler } from './handler.js'
    const body = JSON.stringify({ name: 'ada' })
    const json = { 'content-type': 'application/json' }
    const v1 = (httpMethod, path, headers) => handler({ version: '1.0', resource: path, httpMethod, path, headers, body,
      requestContext: { httpMethod, path } })
    const v2 = (method, rawPath, cookies, headers = json) => handler({ version: '2.0', rawPath, rawQueryString: '', cookies,
      headers, body, requestContext: { http: { method, path: rawPath } } })
    const first = await v1('POST', '/login', json)
    const cookie1 = [first.multiValueHeaders?.['set-cookie'] ?? first.headers['set-cookie']].flat()[0].split(';')[0]
    const second = await v2('POST', '/login', [])
    const cookie2 = second.cookies[0].split(';')[0]
    const results = [
      await v1('GET', '/me', { cookie: cookie1 }),
      await v2('GET', '/me', ['theme=dark', cookie2], {}),
      await v2('POST', '/logout', [cookie2]),
      await v2('GET', '/me', [cookie2], {}),
      await v1('GET', '/me', {}),
    ]
    console.log(JSON.stringify(results.map(({ statusCode }) => statusCode)))
    await app.close()
  `
  const args = ['--input-type=module', '-e', program]
  const { stdout } = await run(process.execPath, args, {
    cwd: join(project, 'lambda'),
    env: { NODE_ENV: 'development' },
  })
  t.strictSame(JSON.parse(stdout), [200, 200, 200, 401, 401])
})

t.test('two-processes: a login of one process counts in the other, behind nginx with TLS', async (t) => {
  const redis = await startRedis(t)
  const [first = 0, second = 0, tls = 0] = await freePorts(3)
  const env = {
    NODE_ENV: 'production',
    REDIS_URL: redis.url,
    SESSION_SECRET: 'rQ8vWk2pLx0eT5sZ9yB3uN7mD1fH6jCa4gKq',
  }
  const folder = join(project, 'two-processes')
  for (const port of [first, second]) await startExample(t, folder, ['app.js'], { ...env, PORT: String(port) })
  await startNginx(t, folder, { FIRST_PORT: first, SECOND_PORT: second, TLS_PORT: tls })

  const ask = (method: string, path: string, cookie = ''): Promise<Answer> => askTls(tls, method, path, cookie)
  const login = await ask('POST', '/login')
  t.equal(login.status, 200)
  t.match(login.cookie, /^__Host-session=/)
  const answers = [await ask('GET', '/me', login.cookie), await ask('GET', '/me', login.cookie)]
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200],
  )
  t.not(answers[0]?.process, answers[1]?.process, 'both processes answered')
  t.equal((await ask('POST', '/logout', login.cookie)).status, 200)
  for (const _ of answers) t.equal((await ask('GET', '/me', login.cookie)).status, 401)
})

interface Answer {
  status: number | undefined
  cookie: string
  process: unknown
}

async function askTls(port: number, method: string, path: string, cookie: string): Promise<Answer> {
  const headers = { host: 'shop.example.com', 'content-type': 'application/json', cookie }
  const sent = request({ host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false })
  sent.end(method === 'POST' ? JSON.stringify({ name: 'ada' }) : undefined)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  const [line = ''] = response.headers['set-cookie'] ?? []
  return { status: response.statusCode, cookie: line.split(';', 1).join(), process: response.headers['x-process'] }
}

async function startNginx(t: Test, folder: string, ports: Record<string, number>): Promise<void> {
  const { cert, key } = makeCertificate()
  await writeFile(join(folder, 'cert.pem'), cert)
  await writeFile(join(folder, 'key.pem'), key, { mode: 0o600 })
  const template = await readFile(join(folder, 'nginx.conf'), 'utf8')
  await writeFile(
    join(folder, 'filled.conf'),
    template.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => String(ports[name])),
  )
  const args = [
    '-p',
    `${folder}/`,
    '-e',
    'stderr',
    '-c',
    'filled.conf',
    '-g',
    'master_process off; error_log stderr notice;',
  ]
  const child = spawn('/usr/sbin/nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  const said: string[] = []
  for await (const line of createInterface(child.stderr)) {
    said.push(line)
    if (line.includes('start worker') || line.includes('using the')) break
  }
  child.stderr.resume()
  if (child.exitCode !== null) throw new Error(said.join('\n'))
}

for (const [packages, set] of [
  ['examples', project],
  ['nest-11', undefined],
] as const) {
  t.test(`nest: guard, @Req(), login, logout, and the statuses of our errors (${packages})`, async (t) => {
    const root = set ?? (await consumerProject(t, tarball, { packages, fixtures }))
    const folder = join(root, 'nest')
    await compileNest(folder)
    const redis = await startRedis(t)
    const { url } = await startExample(t, folder, ['main.js'], { REDIS_URL: redis.url })
    const ada = new HttpVisitor(url)
    t.equal((await ada.get('/me')).status, 401)
    t.match(await (await ada.get('/me')).json(), { statusCode: 401, message: 'Log in first.' })
    t.match(await (await ada.post('/login', { name: 'Ada' })).json(), { user: { id: 'ada', name: 'Ada' } })
    t.match(await (await ada.get('/me')).json(), { id: 'ada', name: 'Ada' })
    t.equal((await ada.post('/note', { key: 'cookie', text: 'x' })).status, 400)
    t.equal((await ada.post('/note', { key: 'note', text: 'x'.repeat(900_000) })).status, 413)
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    t.equal((await ada.post('/login', { name: 'Eve' }, foreign)).status, 403)
    await redis.kill()
    const down = await ada.get('/me')
    t.equal(down.status, 503)
    t.notMatch(await down.text(), /store|redis/i, 'the message of a 503 is not for the client')
    await redis.start()
  })
}

/** Compiles as `npm start` does, with the compiler and the types of Node that this repository has. */
async function compileNest(folder: string): Promise<void> {
  await symlink(join(ROOT, 'node_modules/@types'), join(folder, 'types'))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', '.', '--typeRoots', 'types'], { cwd: folder })
}
