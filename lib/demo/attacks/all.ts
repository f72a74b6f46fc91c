import { afterLogout } from './after-logout.ts'
import type { Attack } from './attack.ts'
import { beforeLogin } from './before-login.ts'
import { bothCookies } from './both-cookies.ts'
import { changedLetter } from './changed-letter.ts'
import { copiedCookie } from './copied-cookie.ts'
import { otherOrigin } from './other-origin.ts'
import { plantedId } from './planted-id.ts'

/** Every attack of the attack page, in its order. */
export const ATTACKS: readonly Attack[] = [
  beforeLogin,
  afterLogout,
  plantedId,
  otherOrigin,
  changedLetter,
  copiedCookie,
  bothCookies,
]
