import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../../test/support/servers/redis.ts'
import { runCase } from './case.ts'
import { CASES } from './cases.ts'
import { Client } from './client.ts'
import { PEERS } from './peers.ts'
import { endAll, newSetting } from './processes.ts'
import type { Row } from './report.ts'
import { pageOf, pictureOf } from './report.ts'
import { beginAgain, GATE } from './routes.ts'

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: '' },
    peer: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(
    'npm run gauntlet -- [--case TEXT] [--peer TEXT]\n\nWithout options, writes benchmarks/gauntlet.md and its picture.',
  )
  process.exit(0)
}
const home = mkdtempSync(join(tmpdir(), 'gauntlet-'))
process.env[GATE] = home
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const ends: (() => Promise<void>)[] = [endAll, async () => rmSync(home, { recursive: true, force: true })]
try {
  const rows = await runAll()
  if (values.case === '' && values.peer === '') {
    const versions = versionsOf(PEERS.map(({ name }) => name))
    writeFileSync(resolve('benchmarks/gauntlet.md'), pageOf(rows, versions))
    writeFileSync(resolve('benchmarks/gauntlet.svg'), pictureOf(rows))
  }
} finally {
  for (const end of ends) await end()
}
process.exit()

async function runAll(): Promise<Row[]> {
  const rows: Row[] = []
  const redis = await startRedis({ teardown: (end) => ends.push(end) })
  for (const peer of PEERS.filter(({ name }) => name.includes(values.peer))) {
    beginAgain()
    const outage = { isDown: false }
    const url = await peer.start(await newSetting(), outage)
    for (const one of CASES.filter(({ name }) => name.includes(values.case))) {
      const outcome = await runCase(one, { peer, outage, redis: redis.url, browser: () => new Client(url) })
      rows.push({ peer: peer.name, case: one.name, ...outcome })
      console.log(`${peer.name} | ${one.name}: ${outcome.mark}, ${outcome.seen}`)
    }
  }
  return rows
}

function versionsOf(names: readonly string[]): Record<string, string> {
  const require = createRequire(resolve('package.json'))
  return Object.fromEntries(
    names.flatMap((name) => {
      try {
        return [[name, (require(`${name}/package.json`) as { version: string }).version]]
      } catch {
        return []
      }
    }),
  )
}
