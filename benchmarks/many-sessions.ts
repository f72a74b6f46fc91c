import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { machine } from './machine.ts'

const SERVER = fileURLToPath(new URL('./many-server.js', import.meta.url))
const SESSIONS = 20_000

/** The pause between two requests of the other user, in milliseconds. */
const PAUSE = 2

/** The time in which the other user is alone, for comparison, in milliseconds. */
const ALONE = 3_000

/** One call, with the durations of the other user's requests meanwhile. */
interface Row {
  readonly call: string
  /** The duration of the call, in milliseconds. */
  readonly took: number
  /** Durations of the other user's requests meanwhile, in milliseconds. */
  readonly others: readonly number[]
}

async function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response
}

/** Measures the requests of one user while a call about another user runs. */
async function during(origin: string, cookie: string, call: string, work: () => Promise<unknown>): Promise<Row> {
  const others: number[] = []
  const startedAt = performance.now()
  const progress = { isOver: false }
  const over = work().then(() => {
    progress.isOver = true
    return performance.now() - startedAt
  })
  while (!progress.isOver) {
    const at = performance.now()
    const response = await fetch(`${origin}/me`, { headers: { cookie } })
    if (!response.ok || (await response.text()) !== '{"id":"bob"}') throw new Error('the other user was not served')
    others.push(performance.now() - at)
    await wait(PAUSE)
  }
  return { call, took: await over, others }
}

async function measure(url: string): Promise<Row[]> {
  const child = fork(SERVER, [url])
  const origin = String((await once(child, 'message'))[0])
  const login = await post(`${origin}/login`, { user: 'bob' })
  const cookie = String(login.headers.getSetCookie()[0]).split(';', 1).join()
  await post(`${origin}/seed`, { user: 'ann', sessions: SESSIONS })
  await during(origin, cookie, 'warm up', () => wait(ALONE))
  const rows = [
    await during(origin, cookie, 'nothing', () => wait(ALONE)),
    await during(origin, cookie, 'list', () => post(`${origin}/list`, { user: 'ann' })),
    await during(origin, cookie, 'revokeUser', () => post(`${origin}/revoke`, { user: 'ann' })),
  ]
  child.disconnect()
  return rows
}

function lineOf(store: string, { call, took, others }: Row): string {
  const sorted = others.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(1)
  return `| ${store} | ${call} | ${(took / 1000).toFixed(1)} | ${sorted.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`
}

const lines: string[] = []
for (const url of process.argv.slice(2)) {
  const { protocol } = new URL(url)
  for (const row of await measure(url)) lines.push(lineOf(protocol.replace(':', ''), row))
}
const report = `# A user with ${SESSIONS.toLocaleString('en-US')} sessions

${new Date().toISOString().slice(0, 10)}. ${machine()}. One server process; another user asks for a page with their session, again and again,
while the server lists or ends the sessions. Server, client and store share the machine.

| store | call | takes (s) | requests of the other user | median (ms) | p99 (ms) | longest (ms) |
|---|---|---:|---:|---:|---:|---:|
${lines.join('\n')}

\`npm run benchmark:many-sessions -- sqlite:/tmp/sessions.db redis://127.0.0.1 postgres://user@127.0.0.1/database\`
`
console.log(report)
const path = fileURLToPath(new URL('../../benchmarks/many-sessions.md', import.meta.url))
if (lines.length > 0) await writeFile(path, report)
process.exit()
