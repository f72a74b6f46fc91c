import t from 'tap'
import { random } from '../support/every-order.ts'
import type { Choose, Fate } from '../support/scheduler.ts'
import { search } from '../support/scheduler.ts'
import { ownChance } from './chance.ts'
import { pairs, titleOf } from './explore.ts'
import type { Played, Prepared, Scene } from './world.ts'
import { KINDS } from './kinds.ts'
import { play, prepare } from './world.ts'

const giveBack = ownChance()
t.teardown(giveBack)

/** The number of orders up to which all orders of a pair are played one by one. */
const MOST = 600

/** Returns how a run ended: what is in the store, and what the clients and the app were told. */
function endOf({ contents, reports, events }: Played): string {
  const index = byName([...contents.index].map(([user, own]) => [user, byName(own)]))
  const replies = reports.map(({ reply }) => [reply?.status, reply?.code, reply?.cookie, reply?.text])
  return JSON.stringify([byName(contents.records), index, replies, events.map(({ type }) => type).toSorted()])
}

function byName(entries: Iterable<readonly [string, unknown]>): readonly unknown[] {
  return [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1))
}

/** Returns the ends of the runs that the search plays. `undefined` if there are too many. */
async function endsOfSearch(prepared: Prepared, faults: number) {
  const ends = new Set<string>()
  const searched = await search(
    async (choose) => {
      const played = await play(prepared, choose)
      if (played.isWhole) ends.add(endOf(played))
      return { happened: played.deeds, isWhole: played.isWhole }
    },
    { faults, most: MOST / 20 },
  )
  return searched.isComplete ? { ends, runs: searched.runs } : undefined
}

/** Plays all orders one by one, and returns their ends. `undefined` if there are too many. */
async function endsOfAll(prepared: Prepared, faults: number) {
  const ends = new Set<string>()
  const path: { readonly count: number; taken: number }[] = []
  const choose: Choose = (waiting, happened) => {
    const mayFail = happened.filter(({ fate }) => fate !== 'done').length < faults
    const fates = (one: readonly Fate[]): readonly Fate[] => (mayFail ? ['done', ...one] : ['done'])
    const choices = waiting.flatMap((one) => fates(one.faults).map((fate) => ({ id: one.id, fate })))
    const node = (path[happened.length] ??= { count: choices.length, taken: 0 })
    return choices[node.taken]
  }
  for (let orders = 1; orders <= MOST; orders += 1) {
    ends.add(endOf(await play(prepared, choose)))
    while ((path.at(-1)?.taken ?? 0) + 1 === path.at(-1)?.count) path.pop()
    const last = path.at(-1)
    if (last === undefined) return { ends, orders }
    last.taken += 1
  }
  return undefined
}

for (const [name, faults, wanted] of [
  ['the orders that the search leaves out end as others that it plays', 0, 7],
  ['so do those in which a step times out', 1, 3],
] as const) {
  t.test(name, async (t) => {
    const draw = random(20_260_103)
    const total = { pairs: 0, runs: 0, orders: 0 }
    for (const kind of KINDS) {
      const scenes = pairs(kind)
      let left = wanted
      while (left > 0 && scenes.length > 0) {
        const [scene] = scenes.splice(Math.floor(draw() * scenes.length), 1) as [Scene]
        const prepared = await prepare(scene)
        const searched = await endsOfSearch(prepared, faults)
        // A pair with one run is one whose steps are all independent.
        const all = searched && searched.runs > 1 ? await endsOfAll(prepared, faults) : undefined
        if (searched === undefined || all === undefined) continue
        t.strictSame([...searched.ends].toSorted(), [...all.ends].toSorted(), titleOf(scene))
        left -= 1
        total.pairs += 1
        total.runs += searched.runs
        total.orders += all.orders
      }
    }
    t.comment(`${total.pairs} pairs: ${total.runs} runs end in every way in which ${total.orders} orders end`)
    t.equal(total.pairs, wanted * KINDS.length)
  })
}

t.test('so do those of two logins for the last place of a limit', async (t) => {
  const title = 'shared: log in elsewhere, unless refused × log in elsewhere, unless refused'
  const scene = pairs('shared').find((one) => titleOf(one) === title) as Scene
  const prepared = await prepare(scene)
  const [searched, all] = [await endsOfSearch(prepared, 0), await endsOfAll(prepared, 0)]
  t.ok(all && all.ends.size > 1)
  t.strictSame([...(searched?.ends ?? [])].toSorted(), [...(all?.ends ?? [])].toSorted())
})
