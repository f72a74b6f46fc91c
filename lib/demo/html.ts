/** Markup that may be sent as it stands. Only `html` makes it. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/** What a template takes: text is escaped, markup is not, nothing (`null`, `undefined`, `false`) leaves no trace. */
export type Content = string | number | Html | null | undefined | false | readonly Content[]

/** A template of markup. Whatever is put into it is text until `html` itself made it. Attributes must be quoted. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, place) => part + markupOf(values[place])).join(''))
}

function markupOf(value: Content): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'object') return value.map(markupOf).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
