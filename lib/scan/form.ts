/** A form of a page, as much as is needed to send it. */
export interface Form {
  readonly action: string
  readonly method: 'GET' | 'POST'
  readonly inputs: readonly { name: string; type: string; value: string }[]
}

const ATTRIBUTE = /([a-z-]{1,40})\s{0,9}=\s{0,9}(?:"([^"]{0,4096})"|'([^']{0,4096})'|([^\s"'>]{1,4096}))/gi

const MAX_TAG_LENGTH = 4096

const MAX_FORMS = 64

const MAX_INPUTS = 256

/** The forms of a page, in its order. A page of another kind has none. Reads the text once, however it is made. */
export function formsOf(html: string): Form[] {
  return tagsOf(html, 'form', MAX_FORMS).map(({ head, rest }) => {
    const attributes = attributesOf(head)
    const [body = ''] = rest.split(/<\/form/i, 1)
    return {
      action: attributes.get('action') ?? '',
      method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      inputs: tagsOf(body, 'input|button', MAX_INPUTS).map(({ tag, head: text }) => inputOf(tag, attributesOf(text))),
    }
  })
}

/**
 * Returns each tag of these names, with its attributes and the text up to the next such tag. Forms and inputs never
 * nest.
 */
function tagsOf(
  html: string,
  names: 'form' | 'input|button',
  most: number,
): { tag: string; head: string; rest: string }[] {
  const [, ...parts] = html.split(new RegExp(`<(${names})(?=[\\s>/])`, 'i'), 2 * most + 1)
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    const [tag, text] = parts.slice(2 * index) as [string, string]
    const end = text.indexOf('>')
    return end === -1 ? { tag, head: text, rest: '' } : { tag, head: text.slice(0, end), rest: text.slice(end + 1) }
  })
}

function inputOf(tag: string, attributes: ReadonlyMap<string, string>): Form['inputs'][number] {
  const [name, type, value] = [attributes.get('name'), attributes.get('type'), attributes.get('value')]
  const usual = tag.toLowerCase() === 'button' ? 'submit' : 'text'
  return { name: name ?? '', type: type?.toLowerCase() ?? usual, value: value ?? '' }
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>()
  // One of the three ways to write a value has matched.
  for (const [, name = '', ...values] of text.slice(0, MAX_TAG_LENGTH).matchAll(ATTRIBUTE)) {
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

/** Words on buttons that take a user away from what the form is for. */
const AWAY = /cancel|back|reset|forgot|register|sign-?_?up/i

/**
 * Returns the values that a form sends when nothing is typed. They are its hidden fields, CSRF tokens among them, and
 * the button that is pressed. Many apps look for the button.
 */
export function untypedFieldsOf({ inputs }: Form): URLSearchParams {
  const named = inputs.filter(({ name }) => name !== '')
  const hidden = named.filter(({ type }) => type === 'hidden')
  const button = named.find(({ type, name, value }) => type === 'submit' && !AWAY.test(`${name} ${value}`))
  const sent = button === undefined ? hidden : [...hidden, button]
  return new URLSearchParams(sent.map(({ name, value }): [string, string] => [name, value]))
}

/** Kinds of inputs into which nobody types the name of a user. */
const NOT_TYPED = new Set(['hidden', 'password', 'submit', 'button', 'reset', 'image', 'checkbox', 'radio', 'file'])

/** Returns the names of the inputs for the user and the password; empty where there is none. */
export function loginFieldsOf({ inputs }: Form): { user: string; password: string } {
  const nameOf = (isMeant: (type: string) => boolean): string => inputs.find(({ type }) => isMeant(type))?.name ?? ''
  return { user: nameOf((type) => !NOT_TYPED.has(type)), password: nameOf((type) => type === 'password') }
}

/** Returns the address that a form is sent to; `undefined` for a text that is no address. */
export function targetOfForm({ action }: Form, page: URL): URL | undefined {
  return URL.canParse(action, page.href) ? new URL(action, page) : undefined
}
