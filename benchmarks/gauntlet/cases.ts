import type { Case } from './case.ts'
import { DEPLOYMENT_CASES } from './cases/deployments.ts'
import { LOGIN_CASES } from './cases/logins.ts'
import { RESTART_CASES } from './cases/restarts.ts'
import { USER_CASES } from './cases/users.ts'

/** All cases, in the order of the table. */
export const CASES: readonly Case[] = [...LOGIN_CASES, ...USER_CASES, ...DEPLOYMENT_CASES, ...RESTART_CASES]
