import { actAs, confirmLogin, login, regenerate, stopActing, updateUser } from '../../lib/session/actions.ts'
import { revokeAll } from '../../lib/session/all-sessions.ts'
import { renameSession } from '../../lib/session/one-session.ts'
import type { Act, Performer } from './act.ts'
import type { Handler } from './server.ts'
import { failingAfter, logIn, move, outside, put, request, SUPERSEDED, updateKey } from './make-act.ts'
import type { Kind } from './kinds.ts'
import { NEW_NAME } from './kinds.ts'

/** Answers to a request whose login is gone, or who acts as another user by now. */
const LOST = ['SESSION_SUPERSEDED', 'SESSION_LOGIN_REQUIRED', 'SESSION_ACTING', 'SESSION_USER_INVALID']
const SHARED: readonly Kind[] = ['shared']
const PLAIN: readonly Kind[] = ['shared', 'guest']
const NEW = { id: 'alice', name: NEW_NAME }
const BOB = { id: 'bob' }
/** Data that is larger than a record may be. */
const TOO_MUCH = 'x'.repeat(70_000)

const then =
  (...handlers: readonly Handler[]): Handler =>
  async (session) => {
    for (const handler of handlers) await handler(session)
  }
const write: Handler = (session) => put(session, 'written')
const save: Handler = (session) => session.save()
const logOut: Handler = (session) => session.logout()
const rename: Handler = (session) => updateUser(session, NEW)
const writeTooMuch: Handler = (session) => void Object.assign(session.object ?? {}, { written: TOO_MUCH })
const LATE_FAILURE = { isFailure: true, isImmediate: true }
const TOO_LARGE = { isFailure: true, codes: ['SESSION_RECORD_TOO_LARGE', ...SUPERSEDED] }

/** Requests that do several things, fail after what they did, or are no use of the session; and calls for nobody. */
export const COMBINED_ACTS: readonly Act[] = [
  request(
    'write, but the handler fails',
    failingAfter((session) => put(session, 'unsaved')),
    {
      ...{ kinds: PLAIN, isFailure: true, discards: 'unsaved' },
    },
  ),
  request(
    'write and reload',
    then(
      (session) => put(session, 'unsaved'),
      (session) => session.reload(),
    ),
    {
      ...{ kinds: PLAIN, discards: 'unsaved' },
    },
  ),
  request(
    'write and save, but the response fails',
    then((session) => put(session, 'saved'), save),
    {
      ...{ kinds: PLAIN, writes: 'saved', ...LATE_FAILURE },
    },
    true,
  ),
  request('update, but the response fails', updateKey, { kinds: SHARED, writes: 'updated', ...LATE_FAILURE }, true),
  request('write too much', writeTooMuch, { kinds: PLAIN, ...TOO_LARGE }),
  request('log in with too much', then(writeTooMuch, logIn('alice')), { kinds: PLAIN, changesId: true, ...TOO_LARGE }),
  request('log out, but the response fails', logOut, { kinds: PLAIN, ends: 'own', ...LATE_FAILURE }, true),
  request(
    'log out everywhere, but the response fails',
    (session) => session.logout({ everywhere: true }),
    {
      ...{ kinds: SHARED, ends: 'user', ...LATE_FAILURE },
    },
    true,
  ),
  request(
    'log in and save, but the response fails',
    then(logIn('alice'), save),
    {
      ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, ...LATE_FAILURE },
    },
    true,
  ),
  request('log in and log out', then(logIn('alice'), logOut), { kinds: PLAIN, ends: 'own', abandons: true }),
  request('log out and log in as another user', then(logOut, logIn('bob')), {
    ...{ kinds: PLAIN, logsIn: 'bob', ends: 'own' },
  }),
  request(
    'destroy and log in',
    then((session) => session.destroy(), logIn('alice')),
    {
      ...{ kinds: PLAIN, logsIn: 'alice', ends: 'own', keeps: [] },
    },
  ),
  request('log in as another user and as the first one', then(logIn('bob'), logIn('alice')), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, abandons: true },
  }),
  request('log in and update the user', then(logIn('alice'), rename), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, names: NEW_NAME },
  }),
  request('update the user and log in', then(rename, logIn('alice')), {
    ...{ kinds: SHARED, logsIn: 'alice', changesId: true, names: null, codes: LOST },
  }),
  request(
    'update the user and confirm the login',
    then(rename, (session) => confirmLogin(session)),
    {
      ...{ kinds: SHARED, changesId: true, names: NEW_NAME, codes: LOST },
    },
  ),
  request(
    'update the user and regenerate',
    then(rename, (session) => regenerate(session)),
    {
      ...{ kinds: SHARED, changesId: true, names: NEW_NAME, keeps: [], codes: LOST },
    },
  ),
  request('confirm the login by the password', (session) => confirmLogin(session, { methods: ['pwd'] }), {
    ...{ kinds: SHARED, changesId: true, methods: ['pwd'], codes: LOST },
  }),
  request('write and log in', then(write, logIn('alice')), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, writes: 'written' },
  }),
  request('write and log in as another user', then(write, logIn('bob')), {
    ...{ kinds: PLAIN, logsIn: 'bob', changesId: true },
  }),
  request(
    'write and regenerate',
    then(write, (session) => regenerate(session)),
    {
      ...{ kinds: PLAIN, changesId: true, keeps: [] },
    },
  ),
  request(
    'write and act as another user',
    then(write, (session) => actAs(session, BOB, { reason: 'a ticket' })),
    {
      ...{ kinds: SHARED, changesId: true, shows: 'bob', codes: LOST },
    },
  ),
  request(
    'act as another user and stop',
    then(
      (session) => actAs(session, BOB, { reason: 'a ticket' }),
      save,
      write,
      (session) => stopActing(session),
    ),
    { kinds: ['shared', 'devices'], changesId: true, shows: 'alice', isImmediate: true, codes: LOST },
  ),
  request('log in, keeping a key', logIn('alice', { keep: ['start'] }), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, keeps: ['start'] },
  }),
  request('log in for long', logIn('alice', { remember: true }), { kinds: PLAIN, logsIn: 'alice', changesId: true }),
  request('log in with a passkey', logIn('alice', { methods: ['hwk', 'mfa'] }), {
    ...{ kinds: PLAIN, logsIn: 'alice', changesId: true, methods: ['hwk', 'mfa'] },
  }),
  request('complete a half login as another user', (session) => login(session, BOB, { methods: ['otp'] }), {
    ...{ kinds: PLAIN, isHalfDone: true, logsIn: 'bob', changesId: true, methods: ['otp'] },
  }),
  request('show an id that a failover forgot', () => undefined, { kinds: SHARED, isAhead: true }),
  move('move in from a cookie', () => undefined, 'alice', { kinds: SHARED, oldSession: 'in a cookie' }),
  move('move in, leaving the old session', () => undefined, 'alice', { kinds: SHARED, oldSession: 'kept' }),
  move('move in as nobody', () => undefined, undefined, { kinds: SHARED, oldSession: 'of nobody' }),
  passing('read without using', { isPassive: true }),
  passing('read in a stream', { carrier: 'stream' }),
  outside(
    'revoke the session for another user',
    ({ server, handle }) => server.engine.users.revoke(handle, 'bob', 'revoked'),
    { kinds: SHARED, isForOther: true },
  ),
  outside('rename for another user', ({ server, handle }) => renameSession(server.engine, handle, 'bob', 'phone'), {
    ...{ kinds: SHARED, isForOther: true },
  }),
  outside('list the sessions', ({ server }) => server.engine.users.list('alice'), { kinds: ['shared', 'devices'] }),
  outside('revoke all that began before', revokeOlder, { kinds: SHARED, isInstant: true }),
  outside('revoke all from before, but the session', revokeEarlier, { kinds: SHARED, isInstant: true }),
  outside('revoke all that are older', revokeOlder, { kinds: SHARED, isAged: true, ends: 'everybody' }),
]

/** Ends the sessions whose last login came before this instant. */
async function revokeOlder({ server: { engine } }: Performer): Promise<unknown> {
  return revokeAll(engine, { before: new Date(engine.settings.clock()) })
}

/** Ends the sessions whose last login came before those of the scene, and spares one. */
async function revokeEarlier({ server: { engine }, handle }: Performer): Promise<unknown> {
  return revokeAll(engine, { before: new Date(engine.settings.clock() - 1000), except: handle })
}

/** Makes an act that shows an id that is due for a renewal, which its response is not to carry. */
function passing(name: string, sending: Parameters<Performer['send']>[1]): Act {
  const perform: Act['perform'] = (performer) => performer.send(() => undefined, sending)
  return { name, kinds: SHARED, codes: SUPERSEDED, isAged: true, carriesNothing: true, perform }
}
