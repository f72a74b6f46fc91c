/**
 * Markup that is sent without escaping. `html` makes it; nothing that a visitor wrote may be passed to the constructor.
 */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/**
 * The values that a template takes. Text is escaped, markup is not, and `null`, `undefined` and `false` leave nothing.
 */
export type Content = string | number | Html | null | undefined | false | readonly Content[]

/** Makes markup from a template. Every value counts as text unless `html` made it. Attributes must be quoted. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, place) => part + markupOf(values[place])).join(''))
}

function markupOf(value: Content): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'object') return value.map(markupOf).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
