import type { FastifyInstance } from 'fastify'
import { environmentOf } from './options.ts'
import type { EnvironmentName, SecureSessionOptions } from '../types/index.ts'

export function guardRegistration(
  _app: FastifyInstance,
  options: SecureSessionOptions,
): { options: SecureSessionOptions; environment: EnvironmentName } {
  return { options, environment: environmentOf(options.environment ?? process.env['NODE_ENV']) }
}
