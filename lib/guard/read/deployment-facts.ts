/** A session cookie whose ids can be guessed, and why. */
export interface WeakId {
  readonly name: string
  readonly why: string
}

/** The facts that the answers of a deployment show, beside CORS and the attributes of its cookies. */
export interface DeploymentFacts {
  /** Paths whose answers set a session cookie or show a user, although shared caches may keep these answers. */
  readonly cacheable: readonly string[]
  /** Places where a session id stands in an address. */
  readonly idsInUrls: readonly string[]
  readonly weakIds: readonly WeakId[]
  /** The demands of Strict-Transport-Security; `null` without the header. */
  readonly hsts: { readonly maxAge: number; readonly hasSubdomains: boolean } | null
  /** The http address of a login form, or of the page that it is sent to; `null` for none. */
  readonly loginOverHttp: string | null
  /** Session cookies that one response set more than once. */
  readonly setTwice: readonly string[]
  /** Session cookies that go into other sites' frames, on pages that every site may frame. */
  readonly embeddable: readonly string[]
  /** Session cookies that contain the session itself. */
  readonly selfContained: readonly string[]
}
