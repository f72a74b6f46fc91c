import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import type { Test } from 'tap'
import t from 'tap'
import { makeCertificate } from '../support/certificate.ts'
import { Chromium } from '../support/chromium.ts'
import { consumerProject } from '../support/consumer.ts'
import { HttpVisitor, startExample } from '../support/example.ts'
import { ROOT } from '../support/imports.ts'
import { freePorts } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(600_000)
const tarball = await packTarball()
t.teardown(tarball.remove)
const fixtures = join(ROOT, 'test/examples')
const project = await consumerProject(t, tarball, { packages: 'examples', fixtures })

function heard(socket: Socket, name: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(name, resolve))
}

for (const transport of ['websocket', 'polling']) {
  t.test(`socket-io: a socket knows its user and ends with its session, by ${transport}`, async (t) => {
    const example = await startExample(t, join(project, 'socket-io'), ['app.js'])
    const { url } = example
    const connect = (headers: Record<string, string>): Socket => {
      const socket = io(url, { extraHeaders: headers, transports: [transport], reconnection: false })
      t.teardown(() => socket.disconnect())
      return socket
    }
    const [phone, laptop] = [new HttpVisitor(url), new HttpVisitor(url)]
    for (const visitor of [phone, laptop]) await visitor.post('/login', { name: 'ada' })
    const { cookie } = phone
    t.match(await heard(connect({}), 'connect_error'), { message: 'log in first' })
    const foreign = connect({ cookie, origin: 'https://evil.example' })
    t.match(await heard(foreign, 'connect_error'), { message: 'SESSION_CROSS_ORIGIN' })

    const [first, second] = [connect({ cookie, origin: url }), connect({ cookie: laptop.cookie })]
    await Promise.all([heard(first, 'connect'), heard(second, 'connect')])
    const said = Promise.all([heard(first, 'said'), heard(second, 'said')])
    first.emit('say', 'hello')
    t.strictSame(await said, ['ada: hello', 'ada: hello'])

    const ended = heard(first, 'disconnect')
    t.equal((await laptop.post('/logout-others')).status, 200)
    await ended
    t.match(await heard(connect({ cookie }), 'connect_error'), { message: 'log in first' })
    const echoed = heard(second, 'said')
    second.emit('say', 'still here')
    t.equal(await echoed, 'ada: still here')
    const stopped = heard(second, 'disconnect')
    await example.stop()
    await stopped
  })
}

interface Client {
  send(method: string, path: string, body?: object): Promise<Response>
}

t.test('mobile: a client without a jar stays logged in over its restarts, follows new ids and forgets', async (t) => {
  const { url } = await startExample(t, join(project, 'mobile'), ['app.js'])
  const { Client } = (await import(join(project, 'mobile/client.js'))) as {
    Client: { open(base: string, file: string): Promise<Client> }
  }
  const file = join(temporaryFolder(t), 'keychain.json')
  const start = (): Promise<Client> => Client.open(url, file)
  const kept = async (): Promise<Record<string, string>> =>
    JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  const fresh = await start()
  t.equal((await fresh.send('GET', '/me')).status, 401)
  t.equal((await fresh.send('POST', '/login', { name: 'ada' })).status, 200)
  const before = await kept()
  t.match(await (await (await start()).send('GET', '/me')).json(), { id: 'ada' })

  t.equal((await (await start()).send('POST', '/confirm')).status, 200)
  const after = await kept()
  t.not(after['session'], before['session'])
  t.equal((await (await start()).send('GET', '/me')).status, 200)

  const other = await Client.open(url, `${file}.other`)
  await other.send('POST', '/login', { name: 'ada' })
  t.equal((await other.send('POST', '/logout', { everywhere: true })).status, 200)
  t.equal((await (await start()).send('GET', '/me')).status, 401, 'an end from elsewhere reaches this client')
  t.strictSame(await kept(), {}, 'and clears what it kept')
  t.strictSame(JSON.parse(await readFile(`${file}.other`, 'utf8')), {})
})

/** A page of the example, and the device that keeps its passkeys. */
interface Bank {
  readonly device: BrowserContext
  readonly page: Page
  /** Presses a button, and returns what the page says then. */
  press(id: string, name?: string): Promise<string>
  cookie(): Promise<string | undefined>
  /** Sets whether the device finds its user, by a finger or a PIN. */
  verify(isUser: boolean): Promise<void>
}

async function openBank(t: Test, browser: Chromium, url: string, isSynced = false): Promise<Bank> {
  const device = await browser.device(t)
  const page = await device.newPage()
  const cdp: CDPSession = await device.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    },
  })
  await page.goto(url)
  return {
    device,
    page,
    press: async (id, name) => {
      if (name !== undefined) await page.fill('#name', name)
      await page.evaluate("document.getElementById('said').value = ''")
      await page.click(`#${id}`)
      const said = page.locator('#said:not(:empty)')
      return (await said.textContent()) ?? ''
    },
    cookie: async () => (await device.cookies()).find(({ name }) => name === 'session')?.value,
    verify: async (isUserVerified) => {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
    },
  }
}

async function startBank(t: Test): Promise<string> {
  const [port = 0] = await freePorts(1)
  const PUBLIC_URL = `http://localhost:${port}`
  await startExample(t, join(project, 'passkeys'), ['app.js'], { PORT: String(port), PUBLIC_URL })
  return PUBLIC_URL
}

const browser = await Chromium.start(t, makeCertificate())

t.test('passkeys: an account begins with a passkey, which logs in again without a name', async (t) => {
  const url = await startBank(t)
  const ada = await openBank(t, browser, url)
  t.match(await ada.press('register', 'ada'), /^register: \{.*"name":"ada"/)
  const cookie = String(await ada.cookie())
  t.match(await ada.press('transfer'), 'transfer: {"sent":true}', 'a key in hardware is enough')
  await ada.press('logout')
  t.equal((await fetch(`${url}/me`, { headers: { cookie: `session=${cookie}` } })).status, 401)
  t.match(await ada.press('login', ''), /^login: \{.*"name":"ada"/)
  await ada.press('logout')
  await ada.verify(false)
  t.match(await ada.press('login'), 'login: failed', 'a device that does not find its user logs nobody in')
})

t.test('passkeys: a password alone does not transfer; a passkey of the same account steps up', async (t) => {
  const url = await startBank(t)
  const [ada, eve] = [await openBank(t, browser, url), await openBank(t, browser, url)]
  await ada.press('register', 'ada')
  await ada.press('logout')
  t.match(await ada.press('password', 'ada'), /"name":"ada"/)
  const before = await ada.cookie()
  const refusal = ada.page.waitForResponse((response) => response.status() === 403)
  t.match(await ada.press('transfer'), 'transfer: {"sent":true}')
  t.match(await (await refusal).json(), { code: 'SESSION_STEP_UP_REQUIRED' })
  t.not(await ada.cookie(), before, 'the step gives a new id')

  await eve.press('register', 'eve')
  await eve.press('logout')
  t.match(await eve.press('password', 'ada'), /"name":"ada"/, 'eve has stolen the password')
  t.match(await eve.press('transfer'), 'transfer: failed', 'her own passkey does not help her')
})

t.test('passkeys: a key that may be synchronised logs in, and is not taken for one in hardware', async (t) => {
  const ada = await openBank(t, browser, await startBank(t), true)
  t.match(await ada.press('register', 'ada'), /"name":"ada"/)
  t.match(await ada.press('transfer'), 'transfer: failed')
})

t.test('passkeys: an answer counts once, for its own question, and in its own session', async (t) => {
  const url = await startBank(t)
  const ada = await openBank(t, browser, url)
  await ada.press('register', 'ada')
  await ada.press('logout')
  const sent = ada.page.waitForRequest((request) => request.url().endsWith('/login'))
  await ada.press('login')
  const answer = JSON.parse(String((await sent).postData())) as object

  const again = (visitor: HttpVisitor, path: string): Promise<Response> => visitor.post(path, answer)
  const thief = new HttpVisitor(url)
  t.equal((await again(thief, '/login')).status, 401, 'without a question')
  await thief.post('/login/options')
  t.equal((await again(thief, '/login')).status, 401, 'for another question')
  t.equal((await thief.get('/me')).status, 401)

  // The same answer twice at once: the page holds it back, and sends it two times beside each other.
  await ada.press('logout')
  const statuses = await ada.page.evaluate(`(async () => {
    const post = (path, body = {}) => fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const optionsJSON = await (await post('/login/options')).json()
    const answer = await SimpleWebAuthnBrowser.startAuthentication({ optionsJSON })
    const both = await Promise.all([post('/login', answer), post('/login', answer)])
    return both.map(({ status }) => status).sort()
  })()`)
  t.strictSame(statuses, [200, 401])
})
