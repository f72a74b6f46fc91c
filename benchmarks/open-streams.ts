import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { machine } from './machine.ts'

const SERVER = fileURLToPath(new URL('./open-server.js', import.meta.url))
const STREAMS = 5_000
const PROCESSES = 4

/** The time after the logins in which servers still collect their garbage, in milliseconds. */
const SETTLING = 120_000

/** The time in which the processor use of idle servers is measured, in milliseconds. */
const IDLE = 60_000

/** Sessions that are revoked one by one, by another process than the one that has the stream. */
const REVOKED = 500

interface Member {
  readonly origin: string
  readonly handle: string
  readonly user: string
}

interface Cpu {
  readonly user: number
  readonly system: number
}

/** A row of the report. */
interface Row {
  readonly store: string
  readonly one: string
  readonly all: string
  readonly cpu: string
}

async function post(url: string, body: object): Promise<{ body: Record<string, unknown>; cookie: string }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const cookie = String(response.headers.getSetCookie()[0]).split(';', 1).join()
  return { body: (await response.json()) as Record<string, unknown>, cookie }
}

async function get<Body>(url: string): Promise<Body> {
  return (await (await fetch(url)).json()) as Body
}

const agent = new Agent({ maxSockets: Infinity })

async function open(origin: string, cookie: string): Promise<ClientRequest> {
  const request = httpRequest(`${origin}/stream`, { headers: { cookie }, agent })
  request.on('error', () => undefined)
  request.end()
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  response.on('error', () => undefined)
  response.resume()
  return request
}

async function members(origins: readonly string[]): Promise<Member[]> {
  const all: Member[] = []
  for (let start = 0; start < STREAMS; start += 50) {
    const batch = Array.from({ length: 50 }, async (_, at): Promise<Member> => {
      const number = start + at
      const origin = origins[number % PROCESSES] ?? ''
      const user = `user-${number}`
      const { body, cookie } = await post(`${origin}/login`, { user })
      await open(origin, cookie)
      return { origin, handle: String(body['handle']), user }
    })
    all.push(...(await Promise.all(batch)))
  }
  return all
}

async function idleCpu(origins: readonly string[]): Promise<string> {
  const before = await Promise.all(origins.map((origin) => get<Cpu>(`${origin}/cpu`)))
  await wait(IDLE)
  const after = await Promise.all(origins.map((origin) => get<Cpu>(`${origin}/cpu`)))
  const shares = after.map(({ user, system }, at) => {
    const used = user + system - (before[at]?.user ?? 0) - (before[at]?.system ?? 0)
    return used / 1000 / IDLE
  })
  return shares.map((share) => `${(share * 100).toFixed(2)} %`).join(', ')
}

async function closedAt(origins: readonly string[]): Promise<Map<string, number>> {
  const parts = await Promise.all(origins.map((origin) => get<Record<string, number>>(`${origin}/closed`)))
  return new Map(parts.flatMap((part) => Object.entries(part)))
}

async function untilClosed(origins: readonly string[], handles: readonly string[]): Promise<Map<string, number>> {
  for (;;) {
    const closed = await closedAt(origins)
    if (handles.every((handle) => closed.has(handle))) return closed
    await wait(500)
  }
}

function summary(delays: readonly number[]): string {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return `${at(0.5)} / ${at(0.99)} / ${sorted.at(-1) ?? 0} ms`
}

/** The streams, the servers that have them, and the processor use of the servers while nothing happens. */
interface Opened {
  readonly origins: readonly string[]
  readonly all: readonly Member[]
  readonly cpu: string
  readonly close: () => void
}

async function openAll(url: string): Promise<Opened> {
  const children = Array.from({ length: PROCESSES }, () => fork(SERVER, [url]))
  const origins = await Promise.all(children.map(async (child) => String((await once(child, 'message'))[0])))
  const all = await members(origins)
  await wait(SETTLING)
  const cpu = await idleCpu(origins)
  const close = (): void => {
    for (const child of children) child.disconnect()
  }
  return { origins, all, cpu, close }
}

/** Measures servers that have no sessions, and are all told at once to destroy their streams. */
async function measureFloor(): Promise<Row> {
  const { origins, all, cpu, close } = await openAll('none')
  const rest = all.slice(REVOKED).map(({ handle }) => handle)
  const start = Date.now()
  await Promise.all(origins.map((origin) => post(`${origin}/end-all`, {})))
  const closed = await untilClosed(origins, rest)
  close()
  return { store: 'no sessions', one: '', all: summary(rest.map((handle) => (closed.get(handle) ?? 0) - start)), cpu }
}

async function measure(store: string, url: string): Promise<Row> {
  const { origins, all, cpu, close } = await openAll(url)
  const revoked = all.slice(0, REVOKED)
  const delays = new Map<string, number>()
  for (const { origin, handle, user } of revoked) {
    const another = origins[(origins.indexOf(origin) + 1) % PROCESSES] ?? ''
    const { body } = await post(`${another}/revoke`, { handle, user })
    delays.set(handle, Number(body['at']))
  }
  const first = await untilClosed(origins, [...delays.keys()])
  const one = summary([...delays].map(([handle, at]) => (first.get(handle) ?? 0) - at))
  const rest = all.slice(REVOKED).map(({ handle }) => handle)
  const { body } = await post(`${origins[0]}/revoke-all`, {})
  const last = await untilClosed(origins, rest)
  const everybody = summary(rest.map((handle) => (last.get(handle) ?? 0) - Number(body['at'])))
  close()
  return { store, one, all: everybody, cpu }
}

const urls = { Redis: process.env['REDIS_URL'], PostgreSQL: process.env['POSTGRES_URL'] }
const rows: Row[] = [await measureFloor()]
for (const [store, url] of Object.entries(urls)) if (url !== undefined) rows.push(await measure(store, url))
const report = `# Open streams

${new Date().toISOString().slice(0, 10)}. ${machine()}. ${STREAMS} event streams over ${PROCESSES} processes, each with a session of its own. From the call in one
process to the close of the stream in another: median / p99 / longest. Servers, clients and stores share the machine.
The first row is the floor: the same servers and streams without sessions. Each server is told by a request of its own to destroy its streams.
Processor use is measured over ${IDLE / 1000} seconds, ${SETTLING / 1000} seconds after the last stream opened: until then V8 collects the garbage of the logins.

| store | ${REVOKED} sessions revoked one by one | ${STREAMS - REVOKED} sessions ended by revokeAll | processor use of each idle server |
|---|---:|---:|---|
${rows.map(({ store, one, all, cpu }) => `| ${store} | ${one} | ${all} | ${cpu} |`).join('\n')}

\`REDIS_URL=… POSTGRES_URL=… npm run benchmark:streams\` measures again.
`
console.log(report)
await writeFile('benchmarks/open-streams.md', report)
process.exit()
