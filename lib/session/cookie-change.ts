/**
 * The session cookie in a response. `expiresAt` is `undefined` for a cookie that ends with the browser. `renewedAt` is
 * the instant of a renewal by age, and `undefined` for a cookie that the app asked for. `binds` names the login that a
 * browser may bind to its device, and is `undefined` where there was no login.
 */
export type CookieChange =
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'set'
      readonly value: string
      readonly expiresAt: number | undefined
      readonly renewedAt: number | undefined
      readonly binds: { readonly handle: string; readonly epoch: number } | undefined
    }
