import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runScenario } from './honest.ts'
import { ModelServers, RULE } from './model-servers.ts'
import { PluginServers } from './plugin-servers.ts'
import type { Baseline, HonestRow, ThiefRow } from './report.ts'
import { between, honestTable, rowOf, thievesTable } from './report.ts'
import { SCENARIOS } from './scenarios.ts'
import type { MakeServers } from './server.ts'
import type { Ending } from './thieves.ts'
import { ENDINGS, LIFETIMES, LOOTS, runThieves, STRATEGIES } from './thieves.ts'

const HELP = `npm run honest -- [options]

The long run of both simulations. Writes two tables to lib/session/README.md between its markers,
or to test/honest/results.md.

  --seed N         the seed of what is drawn. Default 1
  --requests N     requests in each scenario of honest clients. Default 100000
  --copies N       copies of a cookie for each row about thieves. Default 100
  --part NAME      honest, thieves or all. Default all
  --only TEXT      only scenarios whose name holds this text
  --model          runs the rule on paper, and writes nothing
  --baseline       keeps the numbers as the ones to compare with
`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '100000' },
    copies: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: 'all' },
    model: { type: 'boolean', default: false },
    baseline: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const root = fileURLToPath(new URL('../../../', import.meta.url))
const BASELINE = `${root}test/honest/baseline.json`
const seed = Number(values.seed)
const copies = Number(values.copies)
const makeServers: MakeServers = values.model
  ? (deployment) => new ModelServers(RULE, deployment)
  : (deployment) => PluginServers.start(deployment)

const honest: HonestRow[] = []
const isAsked = ({ name }: { name: string }): boolean => name.includes(values.only)
for (const scenario of values.part === 'thieves' ? [] : SCENARIOS.filter(isAsked)) {
  const { servers: _, ...result } = await runScenario(scenario, makeServers, {
    seed,
    requests: Number(values.requests),
  })
  honest.push({ ...result, mayEnd: scenario.mayEnd === true })
  const { name, copied, strangers, renewals } = result
  console.log(`${name}: ${copied} ended as copied, ${strangers} taken for nobody, ${renewals} renewals`)
}

const thieves: ThiefRow[] = []
const strategies = values.part === 'honest' ? [] : STRATEGIES.filter(isAsked)
for (const lifetime of LIFETIMES) {
  for (const loot of LOOTS) {
    for (const strategy of strategies) {
      // A thief who asks twice a minute for two weeks is dear to simulate.
      const isDear = strategy.when === 'starve' && lifetime === 'remember'
      const plan = { strategy, lifetime, loot }
      const result = await runThieves(plan, makeServers, { seed, copies: isDear ? Math.ceil(copies / 8) : copies })
      thieves.push(rowOf(result, lifetime, loot))
      const share = Math.round(100 * result.unnoticed)
      console.log(`${lifetime}, ${loot}, ${strategy.name}: ${result.minutes.toFixed(1)} min, ${share} % unnoticed`)
    }
  }
}

const late: Partial<Record<Ending, number>> = {}
for (const ending of ENDINGS) {
  let answers = 0
  for (const loot of LOOTS) {
    for (const strategy of strategies) {
      const plan = { strategy, lifetime: 'idle', loot, ending } as const
      answers += (await runThieves(plan, makeServers, { seed, copies: Math.ceil(copies / 2) })).late
    }
  }
  late[ending] = answers
  console.log(`answers to a thief after ${ending}: ${answers}`)
}

const today = new Date().toISOString().slice(0, 10)
if (values.baseline) {
  const former = existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline) : undefined
  const kept: Baseline = {
    measured:
      'the rule of that day, in the plugin itself: sessions ended as copied; minutes of access and share never noticed per copy',
    measuredAt: today,
    seed,
    copies,
    requests: Number(values.requests),
    honest: honest.length > 0 ? honest : (former?.honest ?? []),
    thieves: thieves.length > 0 ? thieves : (former?.thieves ?? []),
    late: strategies.length > 0 ? late : (former?.late ?? {}),
  }
  writeFileSync(BASELINE, `${JSON.stringify(kept, undefined, 2)}\n`)
}
if (!values.model) {
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
  const about = `Seed ${seed}, ${today}; ${Number(values.requests).toLocaleString('en')} requests a scenario, ${copies} copies a row.`
  const text = [about, honestTable(honest), thievesTable(thieves, baseline, late)].join('\n\n')
  between(`${root}lib/session/README.md`, `${root}test/honest/results.md`, text)
}
