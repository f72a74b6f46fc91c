/** The number of characters of each part of an id that are shown: enough to see the letter that an attack changed. */
const SHOWN_LETTERS = 4

/** A run of letters long enough to be a part of an id. */
const LONG_RUN = /[\w-]{12,}/g

/** Shortens the ids in a `Cookie` or `Set-Cookie` line: `session=pQ3v….Zx81….k2Lw…; Path=/`. */
export function maskCookie(line: string): string {
  return line.replace(/=[^;]*/g, mask)
}

/** Shortens proofs, challenges and ids in a header of device-bound sessions. */
export function maskProof(header: string): string {
  return header.replace(/"[^"]*"/g, (value) => (value.includes('/') ? value : mask(value)))
}

function mask(value: string): string {
  return value.replace(LONG_RUN, (run) => `${run.slice(0, SHOWN_LETTERS)}…`)
}

/** Hides the password in the body of a form. */
export function maskPassword(body: string): string {
  return body.replace(/password=[^&]+/, 'password=…')
}
