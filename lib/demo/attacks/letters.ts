/** Letters of base64url, of which ids are made. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Returns another letter of base64url, always the same one for the same letter. */
export function otherLetter(letter: string): string {
  return LETTERS.charAt((LETTERS.indexOf(letter) + 7) % LETTERS.length)
}
