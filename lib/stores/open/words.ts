import { SecureSessionError } from '../../errors.ts'
import { firstLine } from './drivers.ts'

/** Returns what went wrong in one line, without the password of the store's URL. */
export function explainFailure(error: unknown, url: string): string {
  const cause = error instanceof SecureSessionError ? error.cause : error
  return passwordsOf(url).reduce((text, password) => without(text, password), firstLine(cause))
}

/** A password shorter than this is part of many words, and is taken out only where it stands by itself. */
const LONG_ENOUGH = 4

function without(text: string, password: string): string {
  if (password.length >= LONG_ENOUGH) return text.replaceAll(password, '***')
  const literal = password.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replaceAll(new RegExp(`(?<!\\w)${literal}(?!\\w)`, 'g'), '***')
}

/** The passwords of a URL, as written and as meant. */
function passwordsOf(url: string): string[] {
  if (!URL.canParse(url)) return []
  const { password, searchParams } = new URL(url)
  const written = [password, searchParams.get('password') ?? '']
  return [...written, ...written.map((one) => decoded(one))].filter((one) => one !== '')
}

/** A `%` that nobody encoded stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Returns `db.example:5432` of a URL: enough to see which server was meant. */
export function placeOf(url: string): string {
  return URL.canParse(url) && !url.startsWith('sqlite:') ? new URL(url).host || 'its default address' : url
}
