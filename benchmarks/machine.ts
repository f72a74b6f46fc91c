import { availableParallelism } from 'node:os'
import { createRequire } from 'node:module'

const PACKAGES = [
  'fastify',
  '@fastify/cookie',
  '@fastify/session',
  '@fastify/secure-session',
  'express',
  'express-session',
  'iron-session',
]

/** Returns the machine and the versions that a reader must know to read the numbers. */
export function machine(): string {
  return `Node ${process.version} on ${process.platform} ${process.arch}, ${availableParallelism()} CPUs; ${PACKAGES.map(versionOf).join(', ')}`
}

function versionOf(name: string): string {
  // Not every package exports its package.json, so the manifest is found on the disk.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const folder of folders) {
    try {
      const manifest = createRequire(import.meta.url)(`${folder}/${name}/package.json`) as { version: string }
      return `${name} ${manifest.version}`
    } catch {
      // The next folder up, as Node itself goes.
    }
  }
  return name
}
