/** The session cookie in a response. `expiresAt` is absent for a cookie that ends with the browser. */
export type CookieChange =
  | { readonly kind: 'clear' }
  | { readonly kind: 'set'; readonly value: string; readonly expiresAt: number | undefined }
