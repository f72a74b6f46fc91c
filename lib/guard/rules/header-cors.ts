import { locate, show } from '../read/show-value.ts'
import type { HiddenId } from '../read/phase-facts.ts'
import type { Problem, Rule } from './rule.ts'

const HIDDEN: HiddenId = { origin: 'https://app.example', header: 'Session-Renewed', isResponse: true }

export const corsHeaderHidden: Rule = {
  slug: 'cors-header-hidden',
  severity: { production: 'warning', development: 'warning' },
  phases: ['request'],
  silenceable: true,
  when: 'CORS lets a page of another origin in, and keeps the header of `headerTransport` or `Session-Renewed` from it',
  why: 'The page cannot send its session id, or cannot read a new one. Then renewal protects nothing, and a confirmed login logs the page out.',
  remedy: "`exposedHeaders: ['Session-Renewed']`, and the header in `allowedHeaders` if there is such a list",
  references: ['Fetch, 3.2 CORS protocol'],
  teach: `A page of another origin reads only those response headers that Access-Control-Expose-Headers names, and sends only those request
headers that Access-Control-Allow-Headers names. The id of a session changes with time, and with each login and confirmed login. The new id
comes in Session-Renewed. A page that cannot read this header goes on with its old id. A stolen id is then not replaced, and after a
confirmed login the old id opens nothing. A star stands for every header, except for Authorization, and except where credentials are
allowed.`,
  examples: {
    wrong: {
      shown: "headerTransport: {}, and app.register(cors, { origin: ['https://app.example'] })",
      options: 'headerTransport: {}',
      answer: { hiddenId: HIDDEN },
    },
    right: {
      shown:
        "headerTransport: {}, and app.register(cors, { origin: ['https://app.example'], exposedHeaders: ['Session-Renewed'] })",
      options: 'headerTransport: {}',
    },
  },
  onAnswer: ({ hiddenId }) => (hiddenId === null ? [] : [problemOf(hiddenId)]),
}

function problemOf({ origin, header, isResponse }: HiddenId): Problem {
  const name = isResponse ? 'Access-Control-Expose-Headers' : 'Access-Control-Allow-Headers'
  const option = isResponse ? 'exposedHeaders' : 'allowedHeaders'
  const who = `pages of ${show(origin)}`
  return {
    at: [{ ...locate([], `without ${header}`), path: name }],
    message: isResponse ? `${who} cannot read their new session ids` : `${who} cannot send their session ids`,
    text: `Add the header: app.register(cors, { origin, ${option}: ['${header}'] }).`,
  }
}
