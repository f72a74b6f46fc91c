import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { checkScan } from '../../lib/guard/phases.ts'
import { renderSarif } from '../../lib/guard/report/sarif.ts'
import type { Finding } from '../../types/index.ts'
import { good } from './configs.ts'
import { SCAN } from './phase-facts.ts'
import { installedPackages } from '../support/packages.ts'

interface Result {
  ruleId: string
  message: { text: string }
  locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[]
  partialFingerprints: Record<string, string>
}

interface Log {
  runs: [
    {
      tool: { driver: { rules: { id: string; helpUri: string; properties: Record<string, string | string[]> }[] } }
      results: Result[]
    },
  ]
}

const SOURCE = { target: 'src/app.ts', environment: 'production', version: '1.0.0' }

const SOURCE_PLACE = { file: 'src/session options.ts', line: 3, column: 9 }

const wrong = checkConfig({ secret: 5, cookie: { sameSite: 'none', samesite: 'x' }, store: {}, idleTimeout: 1 })
const located: Finding[] = wrong.map((finding) => ({
  ...finding,
  at: finding.at.map((location) => ({ ...location, source: SOURCE_PLACE })),
}))
const silenced = checkConfig(
  good({ cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login' }] }),
)
const scanned = checkScan({ ...SCAN, sendsHsts: false, survivesLogout: true, keptThroughLogin: ['sid'] }, undefined)
const failure = { message: 'Error: no store', hint: 'Start it.', place: SOURCE_PLACE, isConsequence: false }

const LOGS: [name: string, text: string][] = [
  ['no finding', renderSarif([], SOURCE)],
  ['findings of options', renderSarif(wrong, SOURCE)],
  ['findings with their places', renderSarif(located, SOURCE)],
  ['silenced findings', renderSarif(silenced, SOURCE)],
  ['findings of a scan', renderSarif(scanned, { ...SOURCE, target: 'https://app.example.com/' })],
  ['a failure', renderSarif([], { ...SOURCE, failure })],
]

t.test('every report is valid against the schema of SARIF 2.1.0', async (t) => {
  const modules = await installedPackages('sarif')
  // The schema is of draft 4, which the validator of the plugin no longer reads.
  const Validator = createRequire(join(modules, 'ajv/package.json'))('ajv') as new (options: object) => {
    addMetaSchema(schema: unknown): void
    compile(schema: unknown): { (log: unknown): boolean; errors?: unknown }
  }
  const schemaOf = (file: string): unknown => JSON.parse(readFileSync(join(modules, file), 'utf8'))
  const validator = new Validator({ schemaId: 'auto', meta: false, allErrors: true, unknownFormats: 'ignore' })
  validator.addMetaSchema(schemaOf('ajv/lib/refs/json-schema-draft-04.json'))
  const isValid = validator.compile(schemaOf('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'))
  for (const [name, text] of LOGS) t.ok(isValid(JSON.parse(text)), `${name} ${JSON.stringify(isValid.errors)}`)
  t.notOk(isValid({ version: '2.1.0', runs: [{ results: [] }] }), 'a run without a tool')
})

t.test('every report has what code scanning asks for', async (t) => {
  for (const [name, text] of LOGS) {
    const [{ tool, results }] = (JSON.parse(text) as Log).runs
    const ids = tool.driver.rules.map(({ id }) => id)
    for (const { helpUri, properties } of tool.driver.rules) {
      t.match(helpUri, /^https:\/\//, name)
      t.match(properties['tags'], ['security', /^external\/cwe\/cwe-\d{3,4}$/], name)
      const severity = Number(properties['security-severity'])
      t.ok(severity > 0 && severity <= 10, name)
    }
    for (const { ruleId, message, locations, partialFingerprints } of results) {
      t.ok(ids.includes(ruleId), `${name}: ${ruleId} is described`)
      t.ok(message.text.length > 0 && message.text.length < 1_000_000, name)
      t.equal(locations.length, 1, name)
      const [{ physicalLocation }] = locations as [Result['locations'][number]]
      t.match(physicalLocation.artifactLocation.uri, /^[^\s\\]+$/, `${name}: a URI`)
      t.notMatch(physicalLocation.artifactLocation.uri, /^(https?:|\/)/, `${name}: a file, relative to the repository`)
      t.ok(physicalLocation.region.startLine >= 1, name)
      t.ok(Object.keys(partialFingerprints).length > 0, name)
    }
  }
})
