/** A form of a page, as much as is needed to send it. */
export interface Form {
  readonly action: string
  readonly method: 'GET' | 'POST'
  readonly inputs: readonly { name: string; type: string; value: string }[]
}

const ATTRIBUTE = /([a-z-]{1,40})\s{0,9}=\s{0,9}(?:"([^"]{0,4096})"|'([^']{0,4096})'|([^\s"'>]{1,4096}))/gi

const LONGEST_TAG = 4096

const MOST_FORMS = 64

const MOST_INPUTS = 256

/** The forms of a page, in its order. A page of another kind has none. Reads the text once, however it is made. */
export function formsOf(html: string): Form[] {
  return tagsOf(html, 'form', MOST_FORMS).map(({ head, rest }) => {
    const attributes = attributesOf(head)
    const [body = ''] = rest.split(/<\/form/i, 1)
    return {
      action: attributes.get('action') ?? '',
      method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      inputs: tagsOf(body, 'input', MOST_INPUTS).map((input) => inputOf(attributesOf(input.head))),
    }
  })
}

/** Each tag of a name, with what stands in it and what follows up to the next: forms and inputs never nest. */
function tagsOf(html: string, name: 'form' | 'input', most: number): { head: string; rest: string }[] {
  return html
    .split(new RegExp(`<${name}(?=[\\s>/])`, 'i'), most + 1)
    .slice(1)
    .map((text) => {
      const end = text.indexOf('>')
      return end === -1 ? { head: text, rest: '' } : { head: text.slice(0, end), rest: text.slice(end + 1) }
    })
}

function inputOf(attributes: ReadonlyMap<string, string>): Form['inputs'][number] {
  const [name, type, value] = [attributes.get('name'), attributes.get('type'), attributes.get('value')]
  return { name: name ?? '', type: type?.toLowerCase() ?? 'text', value: value ?? '' }
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>()
  // One of the three ways to write a value has matched.
  for (const [, name = '', ...values] of text.slice(0, LONGEST_TAG).matchAll(ATTRIBUTE)) {
    attributes.set(name.toLowerCase(), decode(values.find((value) => value !== undefined) as string))
  }
  return attributes
}

function decode(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** The form that asks for a password. */
export function loginFormOf(html: string): Form | undefined {
  return formsOf(html).find(({ inputs }) => inputs.some(({ type }) => type === 'password'))
}

/** Returns the values that a form sends when nothing is typed: its hidden fields, CSRF tokens among them. */
export function hiddenFieldsOf({ inputs }: Form): URLSearchParams {
  const hidden = inputs.filter(({ type, name }) => type === 'hidden' && name !== '')
  return new URLSearchParams(hidden.map(({ name, value }): [string, string] => [name, value]))
}

/** Returns the address that a form is sent to; `undefined` for a text that is no address. */
export function targetOfForm({ action }: Form, page: URL): URL | undefined {
  return URL.canParse(action, page.href) ? new URL(action, page) : undefined
}
