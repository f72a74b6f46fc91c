import type { FindingLocation } from '../../../types/index.ts'
import { platformOf } from '../read/environment.ts'
import { locate, locateValue, showDoubtful } from '../read/show-value.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import type { Fix } from './fix.ts'
import type { Rule } from './rule.ts'

const RELAXED = /^\s*(dev|develop|development|local|localhost|test|tests|testing|ci)\s*$/i

const PRODUCTION = /^\s*(prd|prod|production|live)\s*$/i

export const environmentUnset: Rule = {
  slug: 'environment-unset',
  severity: { production: 'info', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'neither `environment` nor `NODE_ENV` is set: production rules apply',
  why: 'What nobody says is production: a forgotten variable must not switch protection off.',
  remedy: 'say which it is',
  references: [],
  teach: `Many libraries take a missing NODE_ENV for development, and go easy. The variable is missing most often where it matters: on a server that
somebody set up by hand. Here production rules apply unless 'development' or 'test' is said in so many words.`,
  examples: {
    wrong: { options: '', environment: {} },
    right: { options: '', environment: 'production' },
  },
  onConfig: ({ environment }) => {
    if (environment.asked !== undefined) return []
    return [
      {
        at: [variable('NODE_ENV', 'missing')],
        message: 'neither environment nor NODE_ENV is set, so production rules apply',
        text: 'On your own machine set NODE_ENV=development; on a server NODE_ENV=production.',
      },
    ]
  },
}

export const environmentUnknown: Rule = {
  slug: 'environment-unknown',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'a name that is not `production`, `development` or `test` (`prod`, `Production`, `staging`): production rules apply',
  why: 'Other libraries compare the name letter by letter: what is not exactly "production" switches their protection off.',
  remedy: 'the exact word',
  references: ['UKHomeOffice/hof#108'],
  teach: `NODE_ENV is compared as text. With "prod" or "Production", this plugin applies the production rules, because they are the safe
reading. Express, template engines and many other libraries take such a name for development: stack traces in responses, caches off. A stage
of your own, like "staging", belongs into another variable.`,
  examples: {
    wrong: { options: '', environment: 'prod' },
    right: { options: '', environment: 'production' },
  },
  onConfig: ({ environment, at }) => {
    const { asked, askedBy, name } = environment
    if (asked === undefined || asked === name) return []
    const word = wordMeant(asked)
    const isOption = askedBy === 'environment'
    // Written into the code, a relaxed name would win over NODE_ENV on the server too.
    const advice =
      word === 'production' && isOption
        ? 'Write it so'
        : `Set NODE_ENV=${word} there${isOption ? ', and remove the option' : ''}`
    return [
      {
        at: [isOption ? at(['environment']) : located('NODE_ENV', asked)],
        message: `${askedBy} is ${showDoubtful(asked)}, which is not a known name, so production rules apply`,
        suggestion: word,
        text: `Did you mean ${word}? ${advice}. Known are production, development and test.`,
        ...(isOption ? { fixes: [optionFix(word)] } : {}),
      },
    ]
  },
}

function wordMeant(asked: string): 'production' | 'development' | 'test' {
  if (!RELAXED.test(asked)) return 'production'
  return /test|ci/i.test(asked) ? 'test' : 'development'
}

function optionFix(word: string): Fix {
  return word === 'production' ? safely(set(['environment'], word)) : perhaps(remove(['environment']))
}

/** A variable of the environment, as a place of a finding. */
function variable(name: string, value: string): FindingLocation {
  return { ...locate([], value), path: name }
}

function located(name: string, value: string | undefined): FindingLocation {
  return { ...locateValue([], value), path: name }
}

export const environmentConflict: Rule = {
  slug: 'environment-conflict',
  severity: { production: 'fatal', development: 'fatal' },
  severityNote: 'a warning where NODE_ENV is a name of its own',
  phases: ['register'],
  silenceable: true,
  when: "`environment: 'development'` or `'test'` while `NODE_ENV` is `production`, or another name that means production, like `staging`",
  why: 'The option relaxes the rules where the environment says that this is production.',
  remedy: 'remove the option, and let `NODE_ENV` decide',
  references: [],
  teach: `The option wins over NODE_ENV, so that tests can try both sets of rules. A left-over environment: 'development' in the code
therefore also wins on the server. There the random secret and the memory store of development then work unnoticed.`,
  examples: {
    wrong: { options: "environment: 'development'", environment: 'production' },
    right: { options: '', environment: 'production' },
  },
  onConfig: ({ environment, at }) => {
    const { askedBy, name, nodeEnv } = environment
    if (askedBy !== 'environment' || name === 'production' || nodeEnv === undefined || RELAXED.test(nodeEnv)) return []
    return [
      {
        at: [at(['environment']), located('NODE_ENV', nodeEnv)],
        message: `environment says ${name}, NODE_ENV says ${showDoubtful(nodeEnv)}`,
        text: 'Remove environment from the options, and let NODE_ENV decide. The production rules then judge the rest.',
        severity: PRODUCTION.test(nodeEnv) ? 'fatal' : 'warning',
        // Further demands of the production rules have findings of their own.
        fixes: [{ ...perhaps(remove(['environment'])), snippet: null }],
      },
    ]
  },
}

export const environmentDeployed: Rule = {
  slug: 'environment-deployed',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'development or test rules apply, and the environment is one of a hosting platform: `DYNO`, `RENDER`, `FLY_APP_NAME`, `VERCEL_ENV=production`, `K_SERVICE`, `AWS_LAMBDA_FUNCTION_NAME`, `KUBERNETES_SERVICE_HOST` …',
  why: 'On a server the development rules let through what is dangerous there: a random secret, sessions in memory, a cookie without Secure.',
  remedy: '`NODE_ENV=production` on the server',
  references: ['Django deployment checklist'],
  teach: `NODE_ENV=development reaches servers by copied .env files and Dockerfiles. The app works, and each protection that only production insists
on is off. The variables that platforms set by themselves show where the process runs. A preview or a development cluster that is meant to
run like this says so with a silence and its reason.`,
  examples: {
    wrong: { options: '', environment: { NODE_ENV: 'development', DYNO: 'web.1' } },
    right: { options: '', environment: { NODE_ENV: 'production', DYNO: 'web.1' } },
  },
  onConfig: ({ environment }) => {
    const { name, nodeEnv } = environment
    const platform = name === 'production' ? undefined : platformOf(environment)
    if (platform === undefined) return []
    return [
      {
        at: [
          variable(platform.variable, 'set'),
          nodeEnv === undefined ? variable('NODE_ENV', 'missing') : located('NODE_ENV', nodeEnv),
        ],
        message: `${name} rules apply, and ${platform.variable} says that this process runs on a server`,
        text: 'Set NODE_ENV=production there, and leave environment out of the options.',
      },
    ]
  },
}
