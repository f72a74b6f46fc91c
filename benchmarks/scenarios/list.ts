import { anonymous } from './anonymous.ts'
import { bound } from './bound.ts'
import { loginLogout } from './login-logout.ts'
import type { Scenario } from './scenario.ts'
import { session } from './session.ts'
import { user } from './user.ts'
import { write } from './write.ts'

/** All scenarios, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [anonymous, user, session, write, bound, loginLogout]
