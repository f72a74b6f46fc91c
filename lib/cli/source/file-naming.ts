import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import type { Finding, SourcePlace } from '../../../types/index.ts'
import { printable } from '../entry-file.ts'
import type { Failure } from '../failure.ts'

/** The way in which a report names the files of the app. */
export interface FileNaming {
  readonly name: (file: string) => string
  readonly inFinding: (finding: Finding) => Finding
  readonly inFailure: (failure: Failure) => Failure
}

/**
 * Names files from the root of the repository for formats that code hosts read, from the working directory for people.
 */
export function fileNaming(cwd: string, format: string): FileNaming {
  const root = format === 'sarif' || format === 'github' ? repositoryOf(cwd) : cwd
  const name = (file: string): string => {
    const short = relative(root, file)
    const shown = short.startsWith('..') || isAbsolute(short) ? file : short
    return printable(shown.replaceAll('\\', '/'))
  }
  const inPlace = (place: SourcePlace): SourcePlace => ({ ...place, file: name(place.file) })
  return {
    name,
    inFinding: (finding) => ({
      ...finding,
      at: finding.at.map((location) =>
        location.source === undefined ? location : { ...location, source: inPlace(location.source) },
      ),
    }),
    inFailure: (failure) => (failure.place === undefined ? failure : { ...failure, place: inPlace(failure.place) }),
  }
}

/** The nearest folder with a repository in it; the working directory where there is none. */
function repositoryOf(cwd: string, folder = cwd): string {
  if (existsSync(join(folder, '.git'))) return folder
  const parent = dirname(folder)
  return parent === folder ? cwd : repositoryOf(cwd, parent)
}
