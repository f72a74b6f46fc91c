import type { Saved } from './plain-sessions.ts'
import { PlainSessions, PlainVisit } from './plain-sessions.ts'

/** Sessions that live in the cookie alone: signed, and kept nowhere. */
export class CookieSessions extends PlainSessions {
  protected override async load(value: string | undefined): Promise<PlainVisit> {
    const text = value === undefined ? undefined : this.unseal('session', value)
    const saved = text === undefined ? undefined : (JSON.parse(Buffer.from(text, 'base64url').toString()) as Saved)
    return saved !== undefined && this.isAlive(saved) ? new PlainVisit(this, 'cookie', saved) : new PlainVisit(this)
  }

  override async login(visit: PlainVisit, user: string): Promise<void> {
    visit.saved = { ...this.empty(), user, password: this.site.passwords.get(user) }
    visit.cookie = this.pack(visit.saved)
  }

  override async logout(visit: PlainVisit): Promise<void> {
    this.forgetVisit(visit)
  }

  protected override async finish(visit: PlainVisit): Promise<void> {
    if (visit.changed.size > 0) visit.cookie = this.pack(visit.saved)
  }

  protected pack(saved: Saved): string {
    return this.seal('session', Buffer.from(JSON.stringify(saved)).toString('base64url'))
  }
}
