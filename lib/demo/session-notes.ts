import type { TransferForm } from './pages/account.ts'

declare module 'fastify' {
  /**
   * The notes that the bank keeps in a session. Each note is a key of its own, so that two tabs at once lose nothing.
   */
  interface Session {
    /**
     * The instant of the first view of the login page, in milliseconds since 1970. This note gives a visitor an id
     * before the login.
     */
    bankVisitedAt?: number
    /** A message that the next page shows once. */
    bankNotice?: string
    /** A large transfer that waits for the password. */
    bankDraft?: TransferForm
  }
}
