/** A fault of one line in the compiled engine. */
export interface Fault {
  readonly name: string
  /** The file, from the folder of the compiled package. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** The kind of sessions that shows it. Default: all. */
  readonly kind?: string
  /** The number of runs of one scene that it takes to show it. Default: 200. */
  readonly most?: number
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'a change of the id keeps the epoch',
    file: 'lib/session/record.js',
    from: 'epoch: record.epoch + 1',
    to: 'epoch: record.epoch',
  },
  {
    name: 'a write that met a conflict does not compare the epoch',
    file: 'lib/session/commit.js',
    from: 'if (base?.epoch !== loaded.epoch)',
    to: 'if (base === undefined)',
  },
  {
    name: 'a login does not ask whether it was revoked meanwhile',
    file: 'lib/session/login.js',
    from: 'if (!(await users.places.confirm(record)))',
    to: 'if (false)',
  },
  {
    name: 'an undo trusts the version alone',
    file: 'lib/session/take-back.js',
    from: 'isUnsure ? await engine.store.get(written.handle) : written',
    to: 'written',
  },
  {
    name: 'an undo goes on after its lock failed',
    file: 'lib/session/take-back.js',
    from: 'if (!(await store.update(locked, version)))\n        return false;',
    to: 'await store.update(locked, version);',
  },
  {
    name: 'an undo gives the session back without a look at the index',
    file: 'lib/session/take-back.js',
    from: 'if (await users.places.confirm(old))',
    to: 'if (true)',
  },
  {
    name: 'a cached record lets in an id that was replaced',
    file: 'lib/session/load-session.js',
    from: "verdict.kind !== 'enter' || verdict.change !== undefined",
    to: 'verdict.change !== undefined',
    kind: 'cached',
  },
  {
    name: 'a cached record skips the credential check that is due',
    file: 'lib/session/load-session.js',
    from: 'if (isAsked(engine, record, visitor))\n        return undefined;',
    to: '',
    kind: 'cached',
  },
  {
    name: 'an end takes a delete that failed for done',
    file: 'lib/session/user-places.js',
    from: 'if (await this.#store.delete(handle, record.version, why))\n                return record;',
    to: 'await this.#store.delete(handle, record.version, why);\n            return record;',
  },
  {
    name: 'a revocation of a user looks only once',
    file: 'lib/session/user-sessions.js',
    from: 'if (!hasNew)\n                return count +',
    to: 'return count +',
  },
  {
    name: 'a login that failed gives away a place that is filled',
    file: 'lib/session/user-places.js',
    from: 'if (hasPlace(await this.#store.get(handle), name))\n            return false;\n        await this.drop(name, handle);',
    to: 'await this.release(name, handle);',
  },
  {
    name: 'a revocation removes an entry without a note',
    file: 'lib/session/end-many.js',
    from: 'notes.push(await ending.note(name, handle))',
    to: "notes.push('')",
    kind: 'devices',
    most: 2000,
  },
  {
    name: 'the index entry of a login is not kept',
    file: 'lib/session/user-sessions.js',
    from: 'if (await this.#store.addToIndex(user.id, handle, expiresAt, refusing))\n            return earlier;',
    to: 'return earlier;',
  },
  {
    name: 'a limit that refuses is not asked of the index',
    file: 'lib/session/user-sessions.js',
    from: "maxSessions?.onLimit === 'refuse' ? limit + spare : undefined",
    to: 'undefined',
  },
  {
    name: 'an id from before a login is served for a while',
    file: 'lib/session/verdict.js',
    from: "return { kind: id.epoch < record.epoch && now - record.rotatedAt < GRACE ? 'superseded' : 'unknown' };",
    to: 'return SERVE;',
  },
  {
    name: 'the data of a user goes over to the next one',
    file: 'lib/session/login.js',
    from: 'const isOther = userId !== null && userId !== user.id;',
    to: 'const isOther = false;',
  },
  {
    name: 'a write puts back all the data that it read',
    file: 'lib/session/json-data.js',
    from: 'return isWhole ? to : rebase(json, from, to);',
    to: 'return to;',
  },
  {
    name: 'logging out everywhere looks for no login beside it',
    file: 'lib/session/request-session.js',
    from: 'if (userId !== null && everywhere)',
    to: 'if (false)',
  },
  {
    name: 'an entry that was removed before a failed look stays away',
    file: 'lib/session/user-places.js',
    from: 'const restored = [...handles].map(',
    to: 'const restored = [].map(',
  },
  {
    name: 'a login keeps the binding of the login before',
    file: 'lib/session/next-record.js',
    from: "deviceKey === null || reason === 'login' || reason === 'pending'",
    to: 'deviceKey === null',
    kind: 'bound',
  },
  {
    name: 'a refresh does not compare the epoch',
    file: 'lib/session/device-bound/refresh.js',
    from: 'if (id.epoch !== epoch)',
    to: 'if (false)',
    kind: 'bound',
  },
  {
    name: 'a proof counts twice',
    file: 'lib/session/device-bound/binding.js',
    from: 'if (prints.includes(print))',
    to: 'if (false)',
    kind: 'bound',
  },
  {
    name: 'a proof is taken from any key',
    file: 'lib/session/device-bound/refresh.js',
    from: "if (proof === undefined)\n        return { ...asked, failure: 'signature' };",
    to: 'if (proof === undefined)\n        return refreshed(engine, device, request, record, binding, now);',
    kind: 'bound',
  },
  {
    name: 'a bound session opens without the bound cookie',
    file: 'lib/session/load-session.js',
    from: 'return isBindingShown(deviceKey) ? found :',
    to: 'return false ? found :',
    kind: 'bound',
  },
  {
    name: 'a session is bound again',
    file: 'lib/session/device-bound/register.js',
    from: 'record.userId === null || record.deviceKey !== null',
    to: 'record.userId === null',
    kind: 'shared',
  },
  {
    name: 'a binding is made for a login that came after',
    file: 'lib/session/device-bound/register.js',
    from: ".kind === 'enter'",
    to: ' !== undefined',
    kind: 'shared',
  },
  {
    name: 'a refresh is written over a change beside it',
    file: 'lib/session/update-record.js',
    from: 'if (await engine.store.update(next, record.version))\n            return true;',
    to: 'await engine.store.update(next, record.version);\n        return true;',
    kind: 'bound',
  },
  {
    name: 'an id is not compared where the session has only one',
    file: 'lib/session/verdict.js',
    from: 'return isSameHash(secretHash, id.secretHash) && epoch === id.epoch && isAlone;',
    to: 'return epoch === id.epoch && isAlone;',
    kind: 'shared',
  },
  {
    name: 'a replaced id ends a login that came meanwhile',
    file: 'lib/session/load-session.js',
    from: "const isCopied = (latest) => judge(latest, presented, settings.clock()).kind === 'end';",
    to: 'const isCopied = () => true;',
    kind: 'shared',
  },
  {
    name: 'a change of the id that timed out takes the write of another request back',
    file: 'lib/session/commit.js',
    from: 'let isUnsure = true;',
    to: 'let isUnsure = false;',
    kind: 'shared',
  },
  {
    name: 'an undo does not wait for the index',
    file: 'lib/session/take-back.js',
    from: 'if (await users.places.confirm(old)) {',
    to: 'if (users.places.confirm(old)) {',
    kind: 'shared',
  },
  {
    name: 'an entry goes after the look at its session',
    file: 'lib/session/user-places.js',
    from: 'await this.release(name, handle);\n            return look();',
    to: 'const last = await look();\n            await this.release(name, handle);\n            return last;',
    kind: 'guest',
  },
  {
    name: 'a revocation of a user ends after a round that found one session',
    file: 'lib/session/user-sessions.js',
    from: 'hasNew ||= others.length > 0;',
    to: 'hasNew ||= others.length > 1;',
  },
  {
    name: 'a limit takes a login of this instant for a lost one',
    file: 'lib/session/user-sessions.js',
    from: 'const before = this.#settings.clock() - RESERVATION;',
    to: 'const before = this.#settings.clock();',
    kind: 'shared',
  },
  {
    name: 'a renewed id is the child of the id before the confirmed one',
    file: 'lib/session/next-record.js',
    from: 'const minted = verdict && renewal(next, verdict, work, lifetimes, mint);',
    to: 'const minted = verdict && renewal(record, verdict, work, lifetimes, mint);',
    kind: 'shared',
  },
  {
    name: 'an old cookie follows a login into the session that it moved to',
    file: 'lib/session/move-in.js',
    from: 'if (found === undefined || found.epoch !== epoch)',
    to: 'if (found === undefined)',
    kind: 'shared',
  },
  {
    name: 'the first proof of a binding counts twice',
    file: 'lib/session/device-bound/binding.js',
    from: 'return { ...binding, isShown: true, seed: newSeed(), previousSeed: binding.seed, prints: [print] };',
    to: 'return { ...binding, isShown: true, seed: newSeed(), previousSeed: binding.seed, prints: [] };',
    kind: 'registered',
  },
  {
    name: 'a user is replaced in the session of another',
    file: 'lib/session/update-user.js',
    from: 'return shown === userId ? snapshot : undefined;',
    to: 'return snapshot;',
    kind: 'shared',
  },
  {
    name: 'a removed key comes back where another request wrote',
    file: 'lib/session/json-data.js',
    from: 'if (!Object.hasOwn(after, key))',
    to: 'if (!Object.hasOwn(after, key) && !Object.hasOwn(data, key))',
    kind: 'shared',
  },
  {
    name: 'a replaced id is served ten times too long',
    file: 'lib/session/verdict.js',
    from: 'LATE = 150_000',
    to: 'LATE = 1_500_000',
    kind: 'shared',
  },
  {
    name: 'an id that came back is served to strangers for as long as to its owner',
    file: 'lib/session/verdict.js',
    from: '[windowOf(isTied), GRACE]',
    to: '[windowOf(isTied)]',
    kind: 'shared',
  },
  {
    name: 'a parallel request with an old cookie follows a login',
    file: 'lib/session/move-in.js',
    from: 'latest?.epoch === epoch ? latest : undefined',
    to: 'latest',
    kind: 'shared',
  },
  {
    name: 'a confirmed login puts the user back that it read',
    file: 'lib/session/next-record.js',
    from: 'carries.map(',
    to: '[].map(',
    kind: 'shared',
  },
  {
    name: 'a session that revokeAll spared is cut off once its login failed',
    file: 'lib/session/take-back.js',
    from: "'userAt', 'sparedAt', 'acting'",
    to: "'userAt', 'acting'",
    kind: 'shared',
    most: 400,
  },
  {
    name: 'a confirmed login puts the check of the credentials off',
    file: 'lib/session/staging.js',
    from: 'const known = { authHash: record.authHash, authCheckedAt };',
    to: 'const known = { authHash: record.authHash, authCheckedAt: now };',
    kind: 'shared',
  },
  {
    name: 'a user whom this process has just asked for is shown as before',
    file: 'lib/session/load-session.js',
    from: ': withKnownUser(engine, live);',
    to: ': live;',
    kind: 'shared',
  },
  {
    name: 'a request that reads the session again takes over the login of another request',
    file: 'lib/session/request-session.js',
    from: 'if (latest?.epoch === epoch)',
    to: 'if (latest !== undefined)',
    kind: 'guest',
  },
  {
    name: 'a revocation overlooks an entry that somebody was removing when the process died',
    file: 'lib/session/user-sessions.js',
    from: 'return count + (await this.#endLeaving(userId, except, reason));',
    to: 'return count;',
    kind: 'guest',
  },
  {
    name: 'a login that moves may always exceed the limit by one',
    file: 'lib/session/user-sessions.js',
    from: 'isFilled ? 0 : 1',
    to: '1',
    kind: 'guest',
  },
  {
    name: 'an expired record whose deadline somebody moved meanwhile loses its entry',
    file: 'lib/session/live-record.js',
    from: "if (!(await store.delete(handle, version, 'expired')))\n        return;",
    to: "await store.delete(handle, version, 'expired');",
    kind: 'shared',
  },
]

/** Returns the code with the fault, in the first place that has the line, or `undefined` if no place has it. */
export function withFault(code: string, { from, to }: Fault): string | undefined {
  const start = code.indexOf(from)
  return start === -1 ? undefined : code.slice(0, start) + to + code.slice(start + from.length)
}
