import { randomBytes } from 'node:crypto'
import { CookieSessions } from './cookie-sessions.ts'
import type { Family } from './exhibit.ts'
import { advisory, isRefused } from './exhibit.ts'
import { PlainSessions } from './plain-sessions.ts'
import type { Saved } from './plain-sessions.ts'

class StoresTheIdItself extends PlainSessions {
  protected override seal(purpose: string, text: string): string {
    return purpose === 'session' ? text : super.seal(purpose, text)
  }

  protected override unseal(_purpose: string, value: string): string {
    return value
  }

  protected override keyOf(id: string): string {
    return id
  }
}

class AsksTheStoreForGuesses extends PlainSessions {
  protected override unseal(purpose: string, value: string): string {
    return super.unseal(purpose, value) ?? value
  }

  protected override keyOf(id: string): string {
    return id
  }
}

class OneSignatureForAll extends CookieSessions {
  protected override seal(_purpose: string, text: string): string {
    return super.seal('any', text)
  }
}

class DecodesWhatItCannotVerify extends CookieSessions {
  protected override unseal(purpose: string, value: string): string | undefined {
    return super.unseal(purpose, value) ?? value
  }
}

class HasADefaultKey extends CookieSessions {
  protected override readonly key = 'temporary_key'
}

/** Returns the data of a session in which somebody is logged in, as sessions in a cookie have it. */
function forged(user: string, now: number): string {
  const saved: Saved = { user, password: undefined, data: {}, startedAt: now, usedAt: now }
  return Buffer.from(JSON.stringify(saved)).toString('base64url')
}

const SHAPED_LIKE_AN_ID = `${'a'.repeat(22)}.${'b'.repeat(43)}`

export const forgery: Family = {
  name: 'signatures and lookups',
  exhibits: [
    {
      requirement: 'nothing that a store holds opens a session',
      references: [advisory('rack', 'CVE-2019-16782', 'hrqr-hxpp-chr3')],
      fault: 'The id in the cookie was the key in the store.',
      closedBy: [2],
      imitation: StoresTheIdItself,
      async attack(open) {
        const site = await open()
        await site.loggedIn('ann')
        const thief = site.client()
        for (const text of site.store.strings()) {
          thief.cookie = text
          if ((await thief.me()) === 'ann') return true
        }
        return false
      },
    },
    {
      requirement: 'a guess of an id never reaches the store, whose answer times would tell how near it is',
      references: [
        advisory('activerecord-session_store', 'CVE-2019-25025', 'cvw2-xj8r-mjf7'),
        advisory('rack', 'CVE-2019-16782', 'hrqr-hxpp-chr3'),
      ],
      fault:
        'Each guess was looked up as it came, and a lookup in an index takes longer the more of the guess is right.',
      closedBy: [1, 2],
      imitation: AsksTheStoreForGuesses,
      async attack(open) {
        const site = await open()
        const ann = await site.loggedIn('ann')
        const guesses = [randomBytes(24).toString('base64url'), SHAPED_LIKE_AN_ID, `${ann.cookie.slice(0, -1)}_`]
        const before = site.store.calls.length
        for (const cookie of guesses) await site.client().me({ cookie: `${site.cookieName}=${cookie}` })
        return site.store.calls.length > before
      },
    },
    {
      requirement: 'a value that the app signed for another purpose is no session',
      references: [advisory('next-auth', 'CVE-2023-48309', 'v64w-49xw-qq89')],
      fault: 'Any token of the right key was a session, also one that an unfinished sign-in had been given.',
      closedBy: [1],
      imitation: OneSignatureForAll,
      async attack(open) {
        const site = await open()
        await site.loggedIn('ann')
        for (const text of [forged('mallory', site.clock()), SHAPED_LIKE_AN_ID]) {
          const mallory = site.client()
          mallory.cookie = (await mallory.get(`/signed?text=${text}`)).body
          if ((await mallory.me()) !== null) return true
        }
        return false
      },
    },
    {
      requirement: 'a value that cannot be verified is refused, and not read in another way',
      references: [advisory('rack-session', 'CVE-2026-39324', '33qg-7wpp-89cq')],
      fault: 'A cookie that could not be decrypted was decoded as if it had never been encrypted.',
      closedBy: [1],
      imitation: DecodesWhatItCannotVerify,
      async attack(open) {
        const site = await open()
        await site.loggedIn('ann')
        const mallory = site.client()
        mallory.cookie = forged('admin', site.clock())
        return (await mallory.me()) === 'admin'
      },
    },
    {
      requirement: 'two installations that were never configured do not share a key',
      references: [advisory('Apache Airflow, on Flask', 'CVE-2020-17526', '7mx5-x372-xh87')],
      fault: 'Every installation signed with the same default key, so a session of one was a session of all.',
      closedBy: [13],
      imitation: HasADefaultKey,
      async attack(open) {
        if (await isRefused(open, { isDefault: true })) return false
        const [theirs, own] = [await open({ isDefault: true }), await open({ isDefault: true })]
        const mallory = await own.loggedIn('admin')
        const visitor = theirs.client()
        visitor.cookie = mallory.cookie
        return (await visitor.me()) === 'admin'
      },
    },
  ],
}
