import { checkSource } from '../../guard/phases.ts'
import type { Finding, Silence } from '../../../types/index.ts'
import { follow } from './locate.ts'
import { filesWithPackage } from './options-literals.ts'
import type { OptionsSite } from './options-literals.ts'
import type { Project, SourceModule } from './project.ts'

/**
 * Finds secrets that stand as literals in the files that register the plugin, or that hold its option `secret`. Where
 * no registration is known, every file that names the package is read.
 */
export function secretsInFiles(
  project: Project,
  entry: string,
  sites: readonly OptionsSite[],
  environment: string | undefined,
  silences: readonly Silence[],
): Finding[] {
  const read = sites.length === 0 ? filesWithPackage(project, entry) : modulesOf(project, sites)
  const modules = new Map(read.map((module) => [module.file, module]))
  return [...modules.values()].flatMap(({ file, text }) =>
    checkSource(text, environment, silences).map((finding) => ({
      ...finding,
      at: finding.at.map((location) => {
        const [line, column] = location.path.split(':').map(Number) as [number, number]
        return { ...location, path: 'secret', source: { file, line, column } }
      }),
    })),
  )
}

function modulesOf(project: Project, sites: readonly OptionsSite[]): SourceModule[] {
  return sites.flatMap(({ module, literal }) => {
    const secret = literal === undefined ? undefined : follow(project, literal, ['secret']).member
    return [
      module,
      ...(literal === undefined ? [] : [literal.module]),
      ...(secret === undefined ? [] : [secret.module]),
    ]
  })
}
