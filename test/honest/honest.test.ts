import { readFileSync } from 'node:fs'
import t from 'tap'
import { runScenario } from './honest.ts'
import { PluginServers } from './plugin-servers.ts'
import type { Baseline } from './report.ts'
import { SCENARIOS } from './scenarios.ts'
import type { Deployment } from './server.ts'
import { ENDINGS, LOOTS, runThieves, STRATEGIES } from './thieves.ts'

// The short version of `npm run honest`. HONEST_SEED=2 tries others.
const seed = Number(process.env['HONEST_SEED'] ?? 1)
const baseline = JSON.parse(readFileSync(new URL('baseline.json', import.meta.url), 'utf8')) as Baseline
const makeServers = (deployment: Deployment): Promise<PluginServers> => PluginServers.start(deployment)

t.comment(`seed ${seed}`)

t.test('no honest session ends as copied', async (t) => {
  for (const scenario of SCENARIOS.filter(({ mayEnd }) => mayEnd !== true)) {
    const { copied, renewals } = await runScenario(scenario, makeServers, { seed, requests: 4000, people: 10 })
    t.ok(renewals > 0, `${scenario.name}: ids are renewed`)
    t.equal(copied, 0, scenario.name)
  }
})

t.test('a copied cookie is of no use after a logout, a change of the password, or a new login', async (t) => {
  for (const ending of ENDINGS) {
    for (const loot of LOOTS) {
      for (const strategy of STRATEGIES) {
        const { late } = await runThieves({ strategy, lifetime: 'idle', loot, ending }, makeServers, {
          seed,
          copies: 6,
        })
        t.equal(late, 0, `${ending}, ${loot}, ${strategy.name}`)
      }
    }
  }
})

t.test(
  'a thief who takes the renewals meant for the owner has at most a fifth of what the earlier rule gave',
  async (t) => {
    const strategy = STRATEGIES.find(({ when }) => when === 'starve')
    if (strategy === undefined) throw new Error('no such strategy')
    for (const loot of LOOTS) {
      const { minutes } = await runThieves({ strategy, lifetime: 'idle', loot }, makeServers, { seed, copies: 40 })
      const before = baseline.thieves.find(
        (row) => row.strategy === strategy.name && row.lifetime === 'idle' && row.loot === loot,
      )
      t.ok(minutes <= (before?.minutes ?? 0) / 5, `${loot}: ${minutes.toFixed(0)} minutes, ${before?.minutes} before`)
    }
  },
)
