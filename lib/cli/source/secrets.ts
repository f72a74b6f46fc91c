import { checkSource } from '../../guard/phases.ts'
import type { Finding, Silence } from '../../../types/index.ts'
import { follow } from './locate.ts'
import type { OptionsSite } from './options-literals.ts'
import type { Project, SourceModule } from './project.ts'

/** Finds secrets that stand as literals in the files that register the plugin, or that hold its option `secret`. */
export function secretsInFiles(
  project: Project,
  sites: readonly OptionsSite[],
  environment: string | undefined,
  silences: readonly Silence[],
): Finding[] {
  const modules = new Map(modulesOf(project, sites).map((module) => [module.file, module]))
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
