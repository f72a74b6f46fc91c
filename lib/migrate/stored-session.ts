import type { ExpressSessionStore } from '../stores/express.ts'
import { answerOf } from '../stores/express-answer.ts'
import type { OldData, OldSession } from '../../types/index.ts'

/** The part of an old store that is used. */
export type OldStore = Pick<ExpressSessionStore, 'get' | 'destroy'>

/** Members that the libraries themselves keep beside the data. */
const OWN = new Set(['cookie', 'sessionId', 'encryptedSessionId'])

/** @throws `TypeError` */
export function checkStore(name: string, store: unknown): asserts store is OldStore {
  for (const method of ['get', 'destroy'] as const) {
    if (typeof (store as Partial<OldStore> | undefined)?.[method] !== 'function') {
      throw new TypeError(`${name}: store is the store of the old sessions, and has no method ${method}`)
    }
  }
}

/** An old session that a store keeps under this id. */
export function storedSession(store: OldStore, id: string, endOf: (session: object) => number | undefined): OldSession {
  return {
    key: id,
    isInCookie: false,
    load: async () => {
      const session = await read(store, id)
      return typeof session === 'object' ? { data: dataOf(session), endsAt: endOf(session) } : session
    },
    remove: async () => {
      await answerOf((answer) => store.destroy(id, answer), store.destroy.length >= 2)
    },
  }
}

async function read(store: OldStore, id: string): Promise<object | 'damaged' | undefined> {
  try {
    const session = await answerOf((answer) => store.get(id, answer), store.get.length >= 2)
    return typeof session === 'object' && session !== null ? session : undefined
  } catch (error) {
    // Stores of files answer so for what is not there, as express-session expects of them.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // The store itself could not parse the session.
    if (error instanceof SyntaxError) return 'damaged'
    throw error
  }
}

/** Returns a copy as JSON would carry it. A store in memory hands out the session object itself. */
function dataOf(session: object): OldData['data'] {
  const copy = JSON.parse(JSON.stringify(session)) as OldData['data']
  return Object.fromEntries(Object.entries(copy).filter(([name]) => !OWN.has(name)))
}
