import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { SessionEvents } from '../../lib/events.ts'
import { Announcements } from '../../lib/storage/announcements.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import type { Announcement } from '../../types/index.ts'

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Returns what listens to a store that announces by `subscribe`, and a note of what it heard. */
function listeningTo(subscribe?: (hear: (what: Announcement) => void) => Promise<() => Promise<void>>) {
  const heard: string[] = []
  const store = Object.assign(memoryStore(), subscribe && { subscribe })
  const announcements = new Announcements(new TimedStore(store, 50, new SessionEvents(LOG, Date.now), undefined), {
    onHandle: (handle) => void heard.push(handle),
    onCutoff: () => void heard.push('cutoff'),
    onReady: () => void heard.push('ready'),
  })
  return { announcements, heard }
}

t.test('what a store announces is heard from the first subscription on, until it is ended', async (t) => {
  let tell: (what: Announcement) => void = () => undefined
  let [begun, ended] = [0, 0]
  const { announcements, heard } = listeningTo(async (hear) => {
    begun += 1
    tell = hear
    return async () => void (ended += 1)
  })
  announcements.listen()
  announcements.listen()
  await new Promise(setImmediate)
  t.strictSame([heard, begun], [['ready'], 1])
  tell({ handle: 'a handle' })
  tell({ cutoff: 1 })
  t.strictSame(heard, ['ready', 'a handle', 'cutoff'])
  await announcements.stop()
  t.equal(ended, 1)
  tell({ handle: 'too late' })
  announcements.listen()
  await new Promise(setImmediate)
  t.strictSame([heard.length, begun], [3, 1])
})

t.test('a subscription that begins after the end is ended, and nobody is told that it began', async (t) => {
  let begin: (end: () => Promise<void>) => void = () => undefined
  let ended = 0
  const { announcements, heard } = listeningTo(() => new Promise((resolve) => (begin = resolve)))
  announcements.listen()
  const stopped = announcements.stop()
  begin(async () => void (ended += 1))
  await stopped
  t.strictSame([heard, ended], [[], 1])
})

t.test('a store that could not announce is not asked again at once, and its end cannot fail', async (t) => {
  let asked = 0
  const refusing = listeningTo(async () => {
    asked += 1
    throw new Error('down')
  })
  refusing.announcements.listen()
  await new Promise(setImmediate)
  refusing.announcements.listen()
  await refusing.announcements.stop()
  t.strictSame([refusing.heard, asked], [[], 1])
  const broken = listeningTo(async () => async () => {
    throw new Error('down')
  })
  broken.announcements.listen()
  await new Promise(setImmediate)
  await broken.announcements.stop()
  t.strictSame(broken.heard, ['ready'])
})

t.test('a store that cannot announce is left alone', async (t) => {
  const { announcements, heard } = listeningTo()
  announcements.listen()
  await announcements.stop()
  t.strictSame(heard, [])
})
