import type { Exhibit, Family } from './exhibit.ts'

const GUARANTEES = '../../.github/SECURITY.md#what-is-guaranteed'

/** Returns the tables of the guide: one for each family, one row for each exhibit. */
export function catalogueOf(families: readonly Family[]): string {
  return families.map((family) => sectionOf(family)).join('\n\n')
}

function sectionOf({ name, exhibits }: Family): string {
  const head = ['| requirement | seen at | what was wrong there | closed by |', '|---|---|---|---|']
  return [`## ${capital(name)}`, '', ...head, ...exhibits.map(rowOf)].join('\n')
}

function rowOf({ requirement, references, fault, closedBy }: Exhibit): string {
  const seen = references.map(({ peer, name, url }) => `${peer} [${name}](${url})`).join('<br>')
  const closed =
    'guide' in closedBy
      ? `[${closedBy.guide}](${closedBy.link})`
      : closedBy.map((number) => `[guarantee ${number}](${GUARANTEES})`).join(', ')
  return `| ${capital(requirement)}. | ${seen} | ${fault} | ${closed} |`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
