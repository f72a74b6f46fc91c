import type { TransferForm } from './pages/account.ts'

declare module 'fastify' {
  /** What the bank keeps in a session. Each a key of its own, so that two tabs at once lose nothing. */
  interface Session {
    /** When the login page was first seen, milliseconds since 1970: gives a visitor an id before the login. */
    bankVisitedAt?: number
    /** The handle at the moment of the login. */
    bankHandleBefore?: string
    /** What the next page says, once. */
    bankNotice?: string
    /** A large transfer that waits for the password. */
    bankDraft?: TransferForm
  }
}
