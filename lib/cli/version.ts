import { existsSync, readFileSync } from 'node:fs'

/** The version in the nearest package.json above this file; it lies deeper in the build than in the source. */
export function packageVersion(): string {
  let folder = new URL('../', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) folder = new URL('../', folder)
  const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }
  return manifest.version
}
