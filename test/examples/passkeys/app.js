import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

const { PORT = '3000', PUBLIC_URL = `http://localhost:${PORT}` } = process.env

/** Passkeys belong to a host, and to no address that is written in numbers. */
const rp = { rpID: new URL(PUBLIC_URL).hostname, rpName: 'Passkeys' }

/** Stands for a database: accounts by id. */
const accounts = new Map()

const app = Fastify()
await app.register(secureSession)

/** Keeps a challenge in the session, for one answer to the question that it belongs to. */
function ask(req, kind, { challenge }, account) {
  req.session.asked = { kind, challenge, account, until: Date.now() + 60_000 }
}

/** Takes the challenge out of the session in one write. So an answer counts once, even if it is sent twice at once. */
async function asked(req, kind) {
  if (req.session.asked === undefined) return null
  let taken
  await req.session.update((data) => {
    taken = data.asked
    delete data.asked
  })
  return taken?.kind === kind && taken.until > Date.now() ? taken : null
}

const recent = app.requireLogin({ within: '5m' })

/** Whoever is logged in adds a passkey to their account, and needs a recent login. Everybody else begins an account. */
const onRequest = async (req, reply) => req.user !== null && recent(req, reply)

app.post('/register/options', { onRequest }, async (req) => {
  const account = accounts.get(req.user?.id) ?? {
    id: randomBytes(16).toString('base64url'),
    name: String(req.body.name),
  }
  const options = await generateRegistrationOptions({
    ...rp,
    userName: account.name,
    userID: Buffer.from(account.id),
    excludeCredentials: account.passkeys,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  ask(req, 'register', options, { id: account.id, name: account.name })
  return options
})

app.post('/register', { onRequest }, async (req, reply) => {
  const question = await asked(req, 'register')
  const { verified, registrationInfo: info } = await answerOf(verifyRegistrationResponse, req, question)
  // After a login in between, the question is somebody else's.
  if (!verified || (req.user !== null && req.user.id !== question.account.id)) return reply.code(400).send({})
  const { id, name } = question.account
  const { passkeys = [] } = accounts.get(id) ?? {}
  const passkey = { ...info.credential, kind: info.credentialDeviceType }
  accounts.set(id, { id, name, passkeys: [...passkeys, passkey] })
  await req.login({ id, name }, { methods: methodsOf(passkey) })
  return req.user
})

app.post('/login/options', async (req) => {
  const options = await generateAuthenticationOptions({ ...rp, userVerification: 'required' })
  ask(req, 'login', options)
  return options
})

app.post('/login', async (req, reply) => {
  const found = await passkeyOf(req, 'login')
  if (found === null) return reply.code(401).send({})
  const { id, name } = found.account
  await req.login({ id, name }, { methods: methodsOf(found.passkey) })
  return req.user
})

// Check the password here. This example takes any name of an account.
app.post('/login/password', async (req, reply) => {
  const account = [...accounts.values()].find(({ name }) => name === req.body.name)
  if (account === undefined) return reply.code(401).send({})
  await req.login({ id: account.id, name: account.name }, { methods: ['pwd'] })
  return req.user
})

app.post('/step-up/options', { onRequest: app.requireLogin() }, async (req) => {
  const { passkeys } = accounts.get(req.user.id)
  const options = await generateAuthenticationOptions({
    ...rp,
    allowCredentials: passkeys,
    userVerification: 'required',
  })
  ask(req, 'step-up', options)
  return options
})

app.post('/step-up', { onRequest: app.requireLogin() }, async (req, reply) => {
  const found = await passkeyOf(req, 'step-up')
  // A passkey of another account proves nothing about this user.
  if (found?.account.id !== req.user.id) return reply.code(401).send({})
  await req.confirmLogin({ methods: methodsOf(found.passkey) })
  return {}
})

app.post('/transfer', { onRequest: app.requireLogin({ methods: ['hwk'], within: '5m' }) }, async () => ({ sent: true }))

app.get('/me', { onRequest: app.requireLogin() }, async (req) => req.user)

app.post('/logout', async (req) => {
  await req.logout()
  return {}
})

/**
 * Returns `hwk` for a key that stays in its device, and `swk` for one that may be synchronised. `mfa` says that the
 * device has asked for a finger or a PIN.
 */
function methodsOf({ kind }) {
  return [kind === 'singleDevice' ? 'hwk' : 'swk', 'mfa']
}

/** Calls one of the verifying functions. They throw for everything that does not fit. */
async function answerOf(verify, req, question, more = {}) {
  if (question === null) return { verified: false }
  const expected = {
    response: req.body,
    expectedChallenge: question.challenge,
    expectedOrigin: PUBLIC_URL,
    expectedRPID: rp.rpID,
    requireUserVerification: true,
  }
  return verify({ ...expected, ...more }).catch(() => ({ verified: false }))
}

/** Returns the passkey that has answered, and its account; `null` if the answer is wrong. */
async function passkeyOf(req, kind) {
  const question = await asked(req, kind)
  const all = [...accounts.values()].flatMap((account) => account.passkeys.map((passkey) => ({ account, passkey })))
  const found = all.find(({ passkey }) => passkey.id === req.body?.id)
  if (found === undefined) return null
  const { passkey: credential } = found
  const answer = await answerOf(verifyAuthenticationResponse, req, question, { credential })
  if (!answer.verified) return null
  credential.counter = answer.authenticationInfo.newCounter
  return found
}

const files = {
  '/': ['text/html', new URL('page.html', import.meta.url)],
  '/page.js': ['text/javascript', new URL('page.js', import.meta.url)],
  '/webauthn.js': [
    'text/javascript',
    new URL('../dist/bundle/index.umd.min.js', import.meta.resolve('@simplewebauthn/browser')),
  ],
}
for (const [path, [type, url]] of Object.entries(files)) {
  app.get(path, { config: { session: false } }, async (_req, reply) => reply.type(type).send(await readFile(url)))
}

console.log(await app.listen({ port: Number(PORT) }))
