const { startAuthentication, startRegistration } = globalThis.SimpleWebAuthnBrowser
const element = (id) => document.getElementById(id)

async function post(path, body = {}) {
  const json = { 'content-type': 'application/json' }
  const response = await fetch(path, { method: 'POST', headers: json, body: JSON.stringify(body) })
  const answer = await response.json()
  if (!response.ok) throw Object.assign(new Error(answer.message ?? response.status), { code: answer.code })
  return answer
}

/** Fetches a question of the server, lets the passkey answer it, and sends the answer. */
async function prove(path, answer, body) {
  return post(path, await answer({ optionsJSON: await post(`${path}/options`, body) }))
}

async function transfer() {
  try {
    return await post('/transfer')
  } catch ({ code }) {
    if (code !== 'SESSION_STEP_UP_REQUIRED' && code !== 'SESSION_LOGIN_TOO_OLD') throw code
    await prove('/step-up', startAuthentication)
    return post('/transfer')
  }
}

const actions = {
  register: () => prove('/register', startRegistration, { name: element('name').value }),
  login: () => prove('/login', startAuthentication),
  password: () => post('/login/password', { name: element('name').value }),
  transfer,
  logout: () => post('/logout'),
}

async function show(id) {
  element('said').value = ''
  const said = await actions[id]().catch((error) => `failed: ${error.message ?? error}`)
  element('said').value = `${id}: ${typeof said === 'string' ? said : JSON.stringify(said)}`
}

for (const id of Object.keys(actions)) element(id).addEventListener('click', () => void show(id))
