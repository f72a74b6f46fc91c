import type { SessionRecord } from '../../types/index.ts'
import type { Act } from './act.ts'
import { isAboutActing } from './act.ts'
import type { Deed } from './stepped-store.ts'
import { OWN_USER } from './kinds.ts'
import { isRestoring } from './reports.ts'
import type { Guarantee } from './view.ts'
import { nameOf } from './world.ts'

type Field = keyof SessionRecord

/** The fields in which a login says something of itself. */
const OF_LOGIN: readonly Field[] = [
  'userId',
  'createdAt',
  'family',
  'device',
  'remember',
  'lifetimes',
  'methods',
  'label',
]

/** The fields that stay when somebody begins or stops to act as another user. */
const OF_PLACE: readonly Field[] = ['createdAt', 'family', 'device', 'label', 'authenticatedAt', 'deviceKey']

/** The fields that wait while a user acts as another one. */
const OF_ACTOR = ['userId', 'user', 'authHash', 'absoluteDeadline', 'remember', 'lifetimes', 'methods', 'data'] as const

/** The fields that change with a login and with a proof of who the user is. */
const OF_PROOF: readonly Field[] = ['authenticatedAt', 'absoluteDeadline', 'authHash', 'epoch', 'acting']

/** The fields that only the protocol of device-bound sessions changes within one login. */
const OF_DEVICE: readonly Field[] = ['deviceKey']

/** Guarantees about each write into the store, whoever sees what it left. */
export const WRITES: readonly Guarantee[] = [
  {
    name: 'a write leaves what belongs to the login as it was',
    *broken(view) {
      const { after } = view
      // A clock that was set back changes the instants of a login too.
      if (after.reports.some(({ act }) => act.setBackBy !== undefined)) return
      for (const deed of after.deeds) {
        const { act, cookie } = after.reports.find(({ actor }) => actor === deed.actor) ?? {}
        const [before, record] = [deed.before, deed.args[0] as SessionRecord]
        if (act === undefined || deed.name !== 'update' || deed.answer !== true || before === undefined) continue
        if (isRestoring(record, before) || before.userId === null || before.userId === OWN_USER) continue
        // The first use of a bound cookie is noted in the binding.
        const isNoted = (field: Field): boolean => field === 'deviceKey' && after.played.scene.kind === 'registered'
        yield* actingBroken(
          { act, isAsked: after.played.prepared.checks !== undefined },
          before,
          record,
          `${deed.actor} changed`,
        )
        // An answer about the actor is kept there.
        const isLearned = (field: Field): boolean => field === 'acting' && after.played.prepared.checks !== undefined
        const isChanged = (field: Field): boolean => !isSame(before[field], record[field])
        // Whoever shows an id beside a newer one confirms no ways to log in but their own.
        const isBeside = view.isReplaced(cookie, before)
        const fields = fieldsOf(act, deed).filter((field) => field !== 'methods' || !isBeside)
        const changed = fields.filter((field) => !isNoted(field) && !isLearned(field) && isChanged(field))
        if (changed.length > 0) yield `${deed.actor} changed ${changed.join()} of ${nameOf(after, record.handle)}`
      }
    },
  },
]

/** Finds what the place of somebody who acts as another user does not keep, or does not give back. */
function* actingBroken(
  { act, isAsked }: { readonly act: Act; readonly isAsked: boolean },
  before: SessionRecord,
  record: SessionRecord,
  who: string,
): Generator<string> {
  const [one, other] = [before.acting ?? null, record.acting ?? null]
  if (one === null && other !== null) {
    // What the request wrote before is the actor's, and what it learned of them.
    const kept = OF_ACTOR.filter((field) => field !== 'data' && (field !== 'user' || !isAsked))
    const lost = kept.filter((field) => !isSame(other[field], before[field]))
    if (lost.length > 0) yield `${who} ${lost.join()} of the actor`
  }
  // A login there gives nothing back.
  if (one === null || other !== null || act.shows !== 'alice' || act.isFailure === true) return
  const given = OF_ACTOR.filter((field) => field !== 'user' || !isAsked)
  const lost = given.filter((field) => !isSame(record[field], one[field]))
  if (record.userId === one.userId && lost.length > 0) yield `${who} ${lost.join()} on the way back`
}

/** Returns the fields that a write of an act has to leave alone. */
function fieldsOf(act: Act, { args, before }: Deed): readonly Field[] {
  const { name, device, logsIn, renames, isFailure } = act
  if (logsIn !== undefined || name.startsWith('log in')) return []
  if (isAboutActing(act)) return OF_PLACE
  const isProof = (args[0] as SessionRecord).epoch !== before?.epoch
  // A login whose id had two holders is trusted no more, nor are its methods.
  const isFree = (field: Field): boolean =>
    (field === 'label' && name === 'rename') ||
    (field === 'methods' && (before?.isForked === true || act.methods !== undefined))
  const ofLogin = OF_LOGIN.filter((field) => !isFree(field))
  if (isProof && (isFailure === true || name !== 'regenerate')) return ofLogin
  // The snapshot of an actor is kept there.
  const ofProof = OF_PROOF.filter(
    (field) => (field !== 'epoch' || !isProof) && (field !== 'acting' || renames === undefined),
  )
  return [...ofLogin, ...ofProof, ...(device === undefined ? OF_DEVICE : [])]
}

/** Returns a value as JSON. No list of methods is an empty one. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value ?? null)
  return text === '[]' ? 'null' : text
}

function isSame(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other)
}
