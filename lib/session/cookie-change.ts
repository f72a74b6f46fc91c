/**
 * The session cookie in a response. `expiresAt` is absent for a cookie that ends with the browser. `renewedAt` is the
 * instant of a renewal by age, and absent for a cookie that the app asked for.
 */
export type CookieChange =
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'set'
      readonly value: string
      readonly expiresAt: number | undefined
      readonly renewedAt?: number
    }
