import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startExpressWith } from '../../benchmarks/gauntlet/apps/node-apps.ts'
import { serve } from '../../benchmarks/gauntlet/serve.ts'
import type { Start } from '../../benchmarks/gauntlet/setting.ts'

/** Keeps the id that the browser had before the login. */
export const startWithKeptId: Start = (setting, outage) =>
  startExpressWith(setting, outage, async (session, user) => {
    session.values['user'] = user
  })

/** Gives the session to the user first, and renews the id afterwards. */
export const startWithLateId: Start = (setting, outage) =>
  startExpressWith(setting, outage, async (session, user) => {
    session.values['user'] = user
    await session.save()
    await session.regenerate()
    session.values['user'] = user
  })

/** Locks out every other login while one is under way, by a file that only the login itself removes. */
export const startWithLock: Start = (setting, outage) =>
  startExpressWith(setting, outage, async (session, user) => {
    const lock = join(setting.folder, `${user}.lock`)
    writeFileSync(lock, '', { flag: 'wx' })
    await session.regenerate()
    session.values['user'] = user
    rmSync(lock)
  })

await serve(import.meta.url, { startWithKeptId, startWithLateId, startWithLock })
