import { fileURLToPath } from 'node:url'
import { beginAgain } from './routes.ts'
import type { Start } from './setting.ts'

/** Starts one of the apps of a module, if the module is the script of this process. The arguments name the app. */
export async function serve(address: string, apps: Readonly<Record<string, Start>>): Promise<void> {
  const [, script, name = '', setting = ''] = process.argv
  if (script !== fileURLToPath(address)) return
  // The app ends with the process that started it.
  process.once('disconnect', () => process.exit())
  beginAgain()
  const start = apps[name]
  if (start === undefined) throw new Error(`${script} has no ${name}`)
  await start(JSON.parse(setting), { isDown: false })
  process.send?.('listening')
}
