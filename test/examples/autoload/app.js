import { join } from 'node:path'
import autoload from '@fastify/autoload'

export default async function app(fastify, _options) {
  await fastify.register(autoload, { dir: join(import.meta.dirname, 'plugins') })
  await fastify.register(autoload, { dir: join(import.meta.dirname, 'routes') })
}
