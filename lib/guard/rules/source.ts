import { locate } from '../read/show-value.ts'
import type { Rule } from './rule.ts'

export const secretInSource: Rule = {
  slug: 'secret-in-source',
  severity: { production: 'warning', development: 'warning' },
  phases: ['source'],
  silenceable: true,
  when: 'a secret stands in the source text as a literal, also after `process.env.SESSION_SECRET ??`',
  why: 'Everybody who can read the repository, one of its copies, an image or a bundle can sign session cookies.',
  remedy: '`process.env.SESSION_SECRET`, and another secret',
  references: ['OWASP ASVS 5.0 13.3.1', 'CWE-798'],
  teach: `A secret in the code is in every clone, in every backup, in the history for good, and the same on every stage. A fallback behind ?? is used on
the one server where the variable was forgotten. Read the secret from the environment or a secret manager, and let the guard refuse the
boot when it is missing. Replace a secret that has been in a repository.`,
  examples: {
    wrong: { options: '', source: "app.register(secureSession, { secret: 'Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts' })" },
    right: { options: '', source: 'app.register(secureSession, { secret: process.env.SESSION_SECRET })' },
  },
  onSource: (secrets) =>
    secrets.map(({ name, line, column }) => ({
      at: [{ ...locate([], '<string>', true), path: `${line}:${column}` }],
      message: `${name.slice(0, 40)} stands in the source text`,
      text: 'Take it from the environment: process.env.SESSION_SECRET. Generate another one: npx fastify-session-guard secret.',
    })),
}
