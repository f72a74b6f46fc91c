import { locate, locateValue, show, showDoubtful } from '../read/show-value.ts'
import type { Rule } from './rule.ts'

const RELAXED = /^\s*(dev|develop|development|local|localhost|test|tests|testing|ci)\s*$/i

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
        at: [{ ...locate(['environment'], 'missing'), path: 'NODE_ENV' }],
        message: 'neither environment nor NODE_ENV is set, so production rules apply',
        text: 'On your own machine set NODE_ENV=development; on a server NODE_ENV=production.',
        snippet: "environment: 'production'",
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
  teach: `NODE_ENV is compared as text. With "prod" or "Production", this plugin applies the production rules, since they are the safe reading,
but express, template engines and many others take it for development: stack traces in responses, caches off. A stage of your own,
like "staging", belongs into another variable.`,
  examples: {
    wrong: { options: '', environment: 'prod' },
    right: { options: '', environment: 'production' },
  },
  onConfig: ({ environment, at }) => {
    const { asked, askedBy, name } = environment
    if (asked === undefined || asked === name) return []
    const word = RELAXED.test(asked) ? (/test|ci/i.test(asked) ? 'test' : 'development') : 'production'
    return [
      {
        at: [
          askedBy === 'environment'
            ? at(['environment'])
            : { ...locateValue(['environment'], asked), path: 'NODE_ENV' },
        ],
        message: `${askedBy} is ${showDoubtful(asked)}, which is not a known name, so production rules apply`,
        suggestion: word,
        text: `Did you mean ${word}? Known are production, development and test.`,
        snippet: `environment: '${word}'`,
      },
    ]
  },
}

export const environmentConflict: Rule = {
  slug: 'environment-conflict',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: "`environment: 'development'` or `'test'` while `NODE_ENV` is `production`",
  why: 'The option relaxes the rules where the environment says that this is production.',
  remedy: 'one of them',
  references: [],
  teach: `The option wins over NODE_ENV, so that tests can try both sets of rules. A left-over environment: 'development' in the code therefore
also wins on the server, where the random secret and the memory store of development then do their work unnoticed.`,
  examples: {
    wrong: { options: "environment: 'development'", environment: 'production' },
    right: { options: '', environment: 'production' },
  },
  onConfig: ({ environment, at }) => {
    const { askedBy, name, nodeEnv } = environment
    const isProduction = /^\s*prod(uction)?\s*$/i.test(nodeEnv ?? '')
    if (askedBy !== 'environment' || name === 'production' || !isProduction) return []
    return [
      {
        at: [at(['environment']), { ...locateValue(['environment'], nodeEnv), path: 'NODE_ENV' }],
        message: `environment says ${name}, NODE_ENV says ${show(nodeEnv)}`,
        text: 'Remove environment from the options, and let NODE_ENV decide.',
      },
    ]
  },
}
