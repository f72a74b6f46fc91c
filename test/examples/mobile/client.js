import { readFile, rename, writeFile } from 'node:fs/promises'

/**
 * A native client without a cookie jar. The file stands for the place where the system keeps secrets: the keychain of
 * iOS, the keystore of Android.
 */
export class Client {
  #base
  #file
  #cookies

  constructor(base, file, cookies = {}) {
    this.#base = base
    this.#file = file
    this.#cookies = new Map(Object.entries(cookies))
  }

  /** Opens a client with the cookies that the last run of the app has left. */
  static async open(base, file) {
    const kept = await readFile(file, 'utf8').catch(() => '{}')
    return new Client(base, file, JSON.parse(kept))
  }

  /** Sends a request. The cookies of each response are kept before the caller sees it, those of errors too. */
  async send(method, path, body) {
    const response = await fetch(new URL(path, this.#base), {
      method,
      redirect: 'manual',
      headers: {
        'user-agent': 'shop-app/1.0 (Android)',
        ...(this.#cookies.size > 0 && { cookie: this.#header() }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const lines = response.headers.getSetCookie()
    for (const line of lines) this.#take(line)
    if (lines.length > 0) await this.#keep()
    return response
  }

  #header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Takes the name and the value as they are. An empty value, or a lifetime that is over, takes the cookie away. */
  #take(line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    const isOver = attributes.some((attribute) => {
      const [key, text = ''] = attribute.split('=')
      if (/^max-age$/i.test(key)) return Number(text) <= 0
      return /^expires$/i.test(key) && Date.parse(text) <= Date.now()
    })
    if (isOver || value === '') this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }

  /** Replaces the file in one step, so that an app which is killed meanwhile keeps the old cookie or the new one. */
  async #keep() {
    await writeFile(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#cookies)), { mode: 0o600 })
    await rename(`${this.#file}.new`, this.#file)
  }
}
