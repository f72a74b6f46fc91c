import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkConfig, environmentLine } from '../../lib/guard/check.ts'
import { evidenceMarkdown } from '../../lib/guard/evidence/render.ts'
import { settingsOf } from '../../lib/guard/evidence/settings.ts'
import type { ShownSettings } from '../../lib/guard/evidence/settings.ts'
import { renderLesson } from '../../lib/guard/report/lesson.ts'
import { countFindings, renderReport } from '../../lib/guard/report/text.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import type { Rule } from '../../lib/guard/rules/rule.ts'
import { ROOT } from '../support/imports.ts'
import { good } from './configs.ts'
import { findingsOf, optionsOf } from './example-findings.ts'

/** The pages that hold what the guard says, so that a change of its words is seen where they are read. */
const PAGES: Readonly<Record<string, () => string>> = {
  'lib/guard/RULES.md': rulesPage,
  'lib/guard/STANDARDS.md': standardsPage,
}

/** Returns a page as it is in the repository. `tap --snapshot` writes it first. */
function pageOf(path: string, text: string): string {
  const file = join(ROOT, path)
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(file, text)
  return readFileSync(file, 'utf8')
}

function rulesPage(): string {
  return [
    '# Every rule, explained',
    '',
    'For each rule of the [guard](README.md): the lesson that `npx fastify-session-guard explain <rule>` prints, and the finding that its wrong',
    'example gives.',
    '',
    ...RULES.map(({ slug, when }) => `- [\`${slug}\`](#${slug}): ${when}`),
    '',
    ...RULES.flatMap((rule) => chapterOf(rule)),
  ].join('\n')
}

function chapterOf(rule: Rule): string[] {
  const { wrong } = rule.examples
  const report = renderReport(findingsOf(optionsOf(wrong), rule, wrong), { environment: '', spellOut: 'all' })
  return [
    `## ${rule.slug}`,
    '',
    ...fenced(renderLesson(rule).split('\n').slice(2)),
    'The guard says about the wrong example:',
    '',
    ...fenced(report.split('\n').slice(2)),
  ]
}

function fenced(lines: readonly string[]): string[] {
  return ['```text', ...lines, '```', '']
}

function standardsPage(): string {
  const options = { ...good(), environment: 'production' }
  const settings = settingsOf(options) as ShownSettings
  const environment = environmentLine(options, undefined)
  const summary = countFindings(checkConfig(options, undefined))
  const source = { target: 'an app with a store and the defaults', environment, summary, settings }
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  return `${evidenceMarkdown({ ...source, version })}\n`
}

for (const [path, write] of Object.entries(PAGES)) {
  t.test(`${path} holds what the guard says`, async (t) => {
    const text = write()
    t.equal(pageOf(path, text), text, 'npx tap --snapshot --disable-coverage test/guard/pages.test.ts')
  })
}
