import { environmentOf } from '../../options.ts'
import { showDoubtful } from './show-value.ts'
import type { EnvironmentName } from '../../../types/index.ts'

/** The value of `NODE_ENV`, or the whole of `process.env`. Absent: `NODE_ENV` is not set. */
export type EnvironmentInput = string | Readonly<Record<string, string | undefined>> | undefined

/** Facts about the process and the app that neither options nor environment variables show. */
export interface CheckContext {
  /** The time, in milliseconds since 1970, that `silence` entries expire by. Default: now. */
  readonly now?: number
  /** Tells whether `request.session` is decorated already. */
  readonly sessionDecorated?: boolean
  /** Names of session cookies that other plugins of this app set. */
  readonly cookieNames?: readonly string[]
  /** Tells whether this process is a worker of node:cluster. */
  readonly clusterWorker?: boolean
  /** Tells whether Fastify itself serves https. */
  readonly https?: boolean
}

/** The rules that apply, and the setting that chose them. */
export interface Environment {
  readonly name: EnvironmentName
  /** The words that were asked for; `undefined` when nobody said anything. */
  readonly asked: string | undefined
  readonly askedBy: 'environment' | 'NODE_ENV'
  readonly nodeEnv: string | undefined
  readonly variables: Readonly<Record<string, string>>
}

const CLUSTER_VARIABLES = ['WEB_CONCURRENCY', 'instances', 'exec_mode', 'NODE_APP_INSTANCE', 'pm_id']

/** Set by hosting platforms: each says where the process runs. */
export const PLATFORMS: readonly {
  readonly variable: string
  readonly value?: RegExp
  readonly keepsNoFiles?: true
}[] = [
  { variable: 'DYNO', keepsNoFiles: true },
  { variable: 'RENDER' },
  { variable: 'FLY_APP_NAME' },
  { variable: 'RAILWAY_ENVIRONMENT_NAME', value: /^prod/i },
  { variable: 'VERCEL_ENV', value: /^production$/, keepsNoFiles: true },
  { variable: 'K_SERVICE', keepsNoFiles: true },
  { variable: 'GAE_ENV', value: /^standard$/, keepsNoFiles: true },
  { variable: 'AWS_LAMBDA_FUNCTION_NAME', keepsNoFiles: true },
  { variable: 'ECS_CONTAINER_METADATA_URI_V4' },
  { variable: 'WEBSITE_INSTANCE_ID' },
  { variable: 'CF_INSTANCE_GUID', keepsNoFiles: true },
  { variable: 'CONTAINER_APP_NAME' },
  { variable: 'KOYEB_APP_NAME' },
  { variable: 'PLATFORM_PROJECT' },
  { variable: 'NOMAD_ALLOC_ID' },
  { variable: 'KUBERNETES_SERVICE_HOST' },
]

/** Set by build servers, and by what imitates a platform on a developer's machine. */
export const NOT_DEPLOYED: readonly string[] = [
  'CI',
  'AWS_SAM_LOCAL',
  'IS_OFFLINE',
  'NETLIFY_DEV',
  'TILT_HOST',
  'CODESPACES',
]

const VARIABLES = [
  'NODE_ENV',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  ...CLUSTER_VARIABLES,
  ...PLATFORMS.map(({ variable }) => variable),
  ...NOT_DEPLOYED,
]

/** The platform that a process runs on, as its variables say; `undefined` where none says so. */
export function platformOf({ variables }: Environment): (typeof PLATFORMS)[number] | undefined {
  if (NOT_DEPLOYED.some((name) => variables[name] !== undefined)) return undefined
  return PLATFORMS.find(({ variable, value = /./s }) => value.test(variables[variable] ?? ''))
}

/** The option decides, then `NODE_ENV`; an empty `NODE_ENV` is none. */
export function readEnvironment(input: unknown, option: unknown): Environment {
  const variables = readVariables(input)
  const nodeEnv = variables['NODE_ENV'] || undefined
  const asked = typeof option === 'string' ? option : nodeEnv
  return {
    name: environmentOf(asked),
    asked,
    askedBy: typeof option === 'string' ? 'environment' : 'NODE_ENV',
    nodeEnv,
    variables,
  }
}

/**
 * The second line of a report: `production (NODE_ENV is "prod", which is not a known name; production rules apply)`.
 */
export function describeEnvironment({ name, asked, askedBy }: Environment): string {
  const source = askedBy === 'NODE_ENV' ? 'NODE_ENV' : 'the option environment'
  if (asked === undefined) return 'production (neither environment nor NODE_ENV is set; production rules apply)'
  if (asked === name) return `${name} (from ${source})`
  return `${name} (${source} is ${showDoubtful(asked)}, which is not a known name; production rules apply)`
}

function readVariables(input: unknown): Record<string, string> {
  if (typeof input === 'string') return input === '' ? {} : { NODE_ENV: input }
  const variables: Record<string, string> = {}
  if (typeof input !== 'object' || input === null) return variables
  for (const name of VARIABLES) {
    try {
      const value: unknown = (input as Record<string, unknown>)[name]
      if (typeof value === 'string' || typeof value === 'number') variables[name] = String(value)
    } catch {
      // An unreadable variable is an unset one, and unset means production.
    }
  }
  return variables
}
