import { isDeepStrictEqual } from 'node:util'
import { SecureSessionError } from '../../lib/errors.ts'
import { actAs, confirmLogin, login, regenerate } from '../../lib/session/actions.ts'
import { checkHandle, checkOptions, checkUserId } from '../../lib/session/call-options.ts'
import { allSessions } from '../../lib/session/all-sessions.ts'
import { getSession, renameSession, updateSession } from '../../lib/session/one-session.ts'
import type { RequestSession } from '../../lib/session/request-session.ts'
import { changeOfKey } from '../../lib/session/update-data.ts'
import type { SecureSessionOptions, SessionDetails, SessionFacts, SessionInfo, SessionUser } from '../../types/index.ts'
import { updateUserEverywhere } from '../../lib/session/update-user.ts'
import type { Act, Performer } from './act.ts'
import { logIn, objectOf, outside, put, request, SUPERSEDED, updateKey } from './make-act.ts'
import type { Handler } from './server.ts'
import type { Kind } from './kinds.ts'
import { HURRIED, NEW_NAME } from './kinds.ts'

const SHARED: readonly Kind[] = ['shared']
const PLAIN: readonly Kind[] = ['shared', 'guest']
/** Long enough for all instants to lie ahead. */
const SET_BACK: Pick<Act, 'kinds' | 'isApart' | 'setBackBy'> = {
  ...{ kinds: ['shared', 'acting'], isApart: true, setBackBy: 7_200_000 },
}
/** Less than clocks may differ by, so that the end of all sessions still ends one that began before. */
const WITHIN_MARGIN = 20_000
const LOST = ['SESSION_ENDED', 'SESSION_RESPONSE_STARTED', ...SUPERSEDED]
const WATCHED: readonly Kind[] = ['shared', 'guest', 'devices', 'acting']

const isHurried = (user: SessionUser): boolean => 'isHurried' in user
const byUser: SecureSessionOptions = {
  idleTimeout: (user) => (isHurried(user) ? '10m' : '30m'),
  absoluteTimeout: (user) => (isHurried(user) ? '1h' : '12h'),
}
const stepUp: SecureSessionOptions = { onCopiedSession: 'step-up' }

/** Acts of apps with other settings, those who wait for the end of a session, and calls that are refused. */
export const OTHER_ACTS: readonly Act[] = [
  request('log in for a short time', (session) => login(session, HURRIED), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, isShort: true, options: byUser },
  }),
  request('show a replaced id as a stranger, stepping up', () => undefined, {
    ...{ kinds: PLAIN, isReplaced: true, isStranger: true, options: stepUp },
  }),
  request('wait for the end', (session) => session.signal, { kinds: WATCHED, awaitsEnd: true }),
  request(
    'log in and wait for the end',
    async (session) => {
      await logIn('alice')(session)
      return session.signal
    },
    { kinds: PLAIN, logsIn: 'alice', changesId: true, awaitsEnd: true },
  ),
  late('write and save after the response', writeAndSave, { writes: 'saved', codes: LOST }),
  late('update after the response', updateKey, { writes: 'updated', codes: LOST }),
  late('log in after the response', logInLate, {}),
  late('log out after the response', (session) => session.logout(), { ends: 'own' }),
  request('count', (session) => session.update(changeOfKey('count', (count) => Number(count ?? 0) + 1)), {
    ...{ kinds: PLAIN, writes: 'count', counts: true },
  }),
  outside('count from outside', ({ server, handle }) => updateSession(server.engine, handle, countUp), {
    ...{ kinds: SHARED, writes: 'count', counts: true },
  }),
  outside('change the user and look', changeAndLook, {
    ...{ kinds: SHARED, isSequence: true, checks: 'due', isAnsweredLate: true, renames: NEW_NAME },
  }),
  request('read after the clock was set back', () => undefined, SET_BACK),
  request('read after the clock was set back, with a short time', () => undefined, {
    ...{ ...SET_BACK, kinds: SHARED, isHurried: true, isShort: true, options: byUser },
  }),
  request('write after the clock was set back', (session) => put(session, 'written'), {
    ...SET_BACK,
    writes: 'written',
  }),
  request('read once the clock was set back a little', () => undefined, {
    ...{ kinds: SHARED, setBackBy: WITHIN_MARGIN },
  }),
  outside('look at all sessions', lookAtAll, { kinds: ['shared', 'devices', 'guest'] }),
  request('use the whole session object', useObject, { kinds: PLAIN, writes: 'used' }),
  request('call with what no call takes', callWrongly, { kinds: PLAIN }),
  outside('call from outside with what no call takes', callWronglyFromOutside, { kinds: SHARED }),
]

/** Makes an act whose response has started before it does anything. */
function late(name: string, handler: Handler, more: Omit<Act, 'name' | 'perform'>): Act {
  const perform: Act['perform'] = (performer) => performer.send(handler, { isLate: true })
  return { name, kinds: PLAIN, codes: SUPERSEDED, ...more, perform }
}

function countUp(data: Record<string, unknown>): void {
  data['count'] = Number(data['count'] ?? 0) + 1
}

async function writeAndSave(session: RequestSession): Promise<void> {
  put(session, 'saved')
  await session.save()
}

/** Tries to log in, which is refused. */
async function logInLate(session: RequestSession): Promise<void> {
  await refused({ 'a login after the response': () => login(session, { id: 'bob' }) })
}

/** Writes and reads by each way that the session object offers. */
async function useObject(session: RequestSession): Promise<void> {
  const object = objectOf(session)
  const who = session.facts.userId ?? 'anonymous'
  const { get, set, data, update, isModified } = object as unknown as Record<string, (...args: unknown[]) => unknown>
  const wasThere = object['used'] === who
  set?.call(object, 'used', who)
  Object.assign(object, { gone: who })
  delete object['gone']
  const seen = { get: get?.call(object, 'used'), own: object['used'], data: dataWithout(data?.call(object)) }
  if (!isDeepStrictEqual(seen, { get: who, own: who, data: dataWithout(object) })) throw new Error('it reads otherwise')
  if ('gone' in object || !('used' in object) || isModified?.call(object) === wasThere) {
    throw new Error('it says otherwise')
  }
  if (object['toString'] !== undefined || 'nothing' in object) throw new Error('it has what all objects share')
  await update?.call(object, 'used', (value: unknown) => value)
}

function dataWithout(data: unknown): Record<string, unknown> {
  const { cookie: _cookie, ...rest } = data as Record<string, unknown>
  return rest
}

/** The facts about all sessions, and about the one that the act names. */
export interface AllSessions {
  readonly all: readonly SessionFacts[]
  readonly one: SessionDetails | undefined
  readonly own: readonly SessionInfo[]
}

async function lookAtAll({ server: { engine }, handle }: Performer): Promise<AllSessions> {
  const all: SessionFacts[] = []
  for await (const facts of allSessions(engine)) all.push(facts)
  return { all, one: await getSession(engine, handle), own: await engine.users.list('alice', handle) }
}

/** Makes calls that have to be refused. Throws if one of them is not. */
async function callWrongly(session: RequestSession): Promise<void> {
  const object = objectOf(session)
  const { set, update, get } = object as unknown as Record<string, (...args: unknown[]) => unknown>
  await refused({
    'login with an unknown option': () => login(session, { id: 'alice' }, options({ remembr: true })),
    'login with a wrong option': () => login(session, { id: 'alice' }, options({ keep: 'start' })),
    'login without an id': () => login(session, options({ id: '' })),
    'login with a wrong label': () => login(session, { id: 'alice' }, { label: 'a\u202eb' }),
    'login with an unknown method': () => login(session, { id: 'alice' }, options({ methods: ['magic'] })),
    'login by a header': () => login(session, { id: 'alice' }, { transport: 'header' }),
    'login of an entry beside': () => login(session, { id: '\u0001x' }),
    'login of a user whom JSON changes': () => login(session, options({ id: 'alice', toJSON: () => ({ id: 'bob' }) })),
    'login of a user with a function': () => login(session, options({ id: 'alice', act: () => 1 })),
    'login of too large a user': () => login(session, options({ id: 'alice', much: 'x'.repeat(70_000) })),
    'a change of the user': () => Object.assign(session.facts.user ?? refuseNobody(), { id: 'bob' }),
    'regenerate with no list': () => regenerate(session, options({ keys: 'start' })),
    'confirmLogin with a promise': () => confirmLogin(session, options(Promise.resolve({ methods: ['pwd'] }))),
    'actAs without a reason': () => actAs(session, { id: 'bob' }, options({})),
    'actAs forever': () => actAs(session, { id: 'bob' }, { reason: 'a ticket', for: '0s' }),
    'logout with a wrong option': () => session.logout(options({ everywhere: 'yes' })),
    'a reserved name': () => void (object['save'] = 1),
    'a name of the prototype': () => void (object['constructor'] = 1),
    'a prototype': () => Object.setPrototypeOf(object, {}),
    'a getter': () => Object.defineProperty(object, 'got', { get: () => 1 }),
    'a change of the cookie': () => void ((object['cookie'] as Record<string, unknown>)['secure'] = false),
    'set without a key': () => set?.call(object, 5, 1),
    'get with more': () => get?.call(object, 'start', 1),
    'update without a function': () => update?.call(object, 'start'),
    ...Object.fromEntries(
      UNFIT.map((value, place) => [
        `unfit value ${place}`,
        () => session.update((draft) => void Object.assign(draft, { unfit: value })),
      ]),
    ),
    'a reserved name in an update': () => session.update((draft) => void Object.assign(draft, { save: 1 })),
  })
}

function refuseNobody(): never {
  throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
}

const circle: Record<string, unknown> = {}
circle['self'] = circle

/** Values that JSON drops or changes. */
const UNFIT: readonly unknown[] = [
  ...[Number.NaN, 10n, Symbol('s'), () => 1, new Map(), new Set(), circle, Promise.resolve(), Buffer.from('a')],
  ...[new Date(Number.NaN), [undefined], { [Symbol('s')]: 1 }, JSON.parse('{"__proto__":1}'), { deep: [new Map()] }],
]

async function callWronglyFromOutside({ server, handle }: Performer): Promise<boolean> {
  const { engine } = server
  await refused({
    'revokeUser of nobody': () => checkUserId('revokeUser', ''),
    'revokeUser of an entry beside': () => checkUserId('revokeUser', '\u0001devices\u0001alice'),
    'revokeUser with a misspelt option': () => checkOptions('revokeUser', { exept: handle }),
    'revokeAll with a wrong instant': () => checkOptions('revokeAll', { before: new Date(Number.NaN) }),
    'requireLogin without a time': () => checkOptions('requireLogin', { within: undefined }),
    'requireLogin that leads away': () => checkOptions('requireLogin', { redirect: '//evil.example' }),
    'requireLogin that leads away by a blank': () => checkOptions('requireLogin', { redirect: '/\t/evil.example' }),
    'an inherited option': () => checkOptions('logout', Object.create({ everywhere: true })),
    'no handle': () => checkHandle('revoke', undefined),
    'update to a list': () => updateSession(engine, handle, () => options([])),
    'update of a reserved name': () => updateSession(engine, handle, () => ({ save: 1 })),
    'update with an unfit value': () => updateSession(engine, handle, () => ({ unfit: new Map() })),
    'update with too much': () => updateSession(engine, handle, () => ({ much: 'x'.repeat(70_000) })),
  })
  return renameSession(engine, 'no handle', 'alice', 'phone')
}

const options = (value: object): never => value as never

/** Makes each call, and throws for one that is not refused with a code, and does not say that there is no session. */
async function refused(calls: Readonly<Record<string, () => unknown>>): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    let code: unknown = 'none'
    try {
      if ((await call()) === false) continue
    } catch (error) {
      code = (error as { readonly code?: unknown }).code
    }
    if (!String(code).startsWith('SESSION_')) throw new Error(`${name} was not refused: ${String(code)}`)
  }
}

/** Replaces the user, in the database and in all sessions. Whoever comes next must not be shown the user as before. */
async function changeAndLook(performer: Performer): Promise<void> {
  const { server, cookie } = performer
  await performer.renameUser()
  await updateUserEverywhere(server.engine, 'alice', { id: 'alice', name: NEW_NAME } as SessionUser)
  const { me } = await server.request(() => undefined, { cookie })
  if (me?.userId === 'alice' && me.name !== NEW_NAME) throw new Error(`the user is shown as ${me.name}`)
}
