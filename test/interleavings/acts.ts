import {
  actAs,
  confirmLogin,
  login,
  regenerate,
  stopActing,
  updateAuthHash,
  updateUser,
} from '../../lib/session/actions.ts'
import { revokeAll } from '../../lib/session/all-sessions.ts'
import { renameSession, updateSession } from '../../lib/session/one-session.ts'
import type { RequestSession } from '../../lib/session/request-session.ts'
import { updateUserEverywhere } from '../../lib/session/update-user.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import type { Act, Performer } from './act.ts'
import { COMBINED_ACTS } from './combined-acts.ts'
import { HOSTILE_ACTS } from './hostile-acts.ts'
import { SEQUENCES } from './sequences.ts'
import { OTHER_ACTS } from './other-acts.ts'
import { failingAfter, logIn, move, objectOf, outside, proof, put, request, SUPERSEDED, updateKey } from './make-act.ts'
import { NEW_NAME } from './kinds.ts'

const evict: SecureSessionOptions = { maxSessions: { limit: ({ id }) => (id === 'alice' ? 2 : 9), onLimit: 'evict' } }
const evictAll: SecureSessionOptions = { maxSessions: { limit: 1, onLimit: 'evict' } }
const refuse: SecureSessionOptions = { maxSessions: { limit: 3, onLimit: 'refuse' } }
const NEW = { id: 'alice', name: NEW_NAME }
const LOST = ['SESSION_SUPERSEDED', 'SESSION_LOGIN_REQUIRED', 'SESSION_ACTING', 'SESSION_USER_INVALID']
const BOB = { id: 'bob' }
const TICKET = { reason: 'a ticket' }

/** Everything that is done in pairs and triples. */
export const ACTS: readonly Act[] = [
  request('read', () => undefined),
  request('touch', (session) => session.touch()),
  request('write', (session) => put(session, 'written'), { writes: 'written' }),
  request('write and save', (session) => (put(session, 'saved'), session.save()), { writes: 'saved' }),
  request('plant a token', (session) => void (objectOf(session)['_csrf'] = 'anonymous'), { isForGuests: true }),
  request('remove a key', (session) => void delete objectOf(session)['start'], { removes: 'start' }),
  request('update', (session) => updateKey(session), { writes: 'updated' }),
  request('reload', (session) => session.reload()),
  request('renew', () => undefined, { isAged: true }),
  request('show a renewed id', () => undefined, { isAged: true, shown: 0 }),
  request('confirm a renewed id', () => undefined, { isAged: true, shown: 1 }),
  request('read a user who changed', () => undefined, { checks: 'due' }),
  request('read with an old password', () => undefined, { checks: 'due', hasOldPassword: true, ends: 'own' }),
  request('write with an old password', (session) => put(session, 'written'), {
    checks: 'due',
    hasOldPassword: true,
    ends: 'own',
  }),
  request('read after the deadline', () => undefined, { waits: 60_000 }),
  request('replay a dead id', () => undefined, { isReplay: true }),
  request('log in with a dead id', logIn('alice'), { isReplay: true, logsIn: 'alice' }),
  request('log in as another user with a dead id', logIn('bob'), { isReplay: true, logsIn: 'bob' }),
  request('log out with a dead id', (session) => session.logout(), { isReplay: true }),
  request('show a replaced id', () => undefined, { isReplaced: true }),
  request('show a replaced id as a stranger', () => undefined, { isReplaced: true, isStranger: true, ends: 'own' }),
  request('show an outdated id', () => undefined, { isOutdated: true, ends: 'own' }),
  request('log in with an outdated id', logIn('alice'), { isOutdated: true, logsIn: 'alice', ends: 'own' }),
  request('log in half with an outdated id', logIn('bob', { pending: true, methods: ['pwd'] }), {
    ...{ isOutdated: true, ends: 'own' },
  }),
  request('log in', logIn('alice'), { logsIn: 'alice', changesId: true }),
  request('log in, unless refused', logIn('alice'), {
    ...{ logsIn: 'alice', changesId: true, codes: ['SESSION_LIMIT_REACHED', ...SUPERSEDED], options: refuse },
  }),
  request('log in as another user', logIn('bob'), { logsIn: 'bob', changesId: true }),
  request('log in, keeping nothing', logIn('alice', { keep: false }), { logsIn: 'alice', changesId: true, keeps: [] }),
  request('log in, but the handler fails', failingAfter(logIn('alice')), { isFailure: true, changesId: true }),
  request('log in, but the response fails', logIn('alice'), { isFailure: true, changesId: true }, true),
  request('log in as another user, but the response fails', logIn('bob'), { isFailure: true, changesId: true }, true),
  request('log in half', logIn('alice', { pending: true, methods: ['pwd'] }), {
    changesId: true,
    codes: ['SESSION_OPTION_INVALID', ...SUPERSEDED],
  }),
  request('complete a half login', completeLogin, {
    ...{ isHalfDone: true, logsIn: 'alice', changesId: true, methods: ['otp'], codes: LOST },
  }),
  request('log out', (session) => session.logout(), { ends: 'own' }),
  request('destroy', (session) => session.destroy(), { ends: 'own' }),
  request('log out everywhere', (session) => session.logout({ everywhere: true }), { ends: 'user' }),
  request('log out elsewhere', (session) => session.logout({ others: true }), { ends: 'others' }),
  request('confirm the login', (session) => confirmLogin(session), { changesId: true, codes: LOST }),
  request('confirm, but the response fails', (session) => confirmLogin(session), confirmFails(), true),
  request('update the fingerprint', (session) => updateAuthHash(session, 'two'), { changesId: true, codes: LOST }),
  request('regenerate', (session) => regenerate(session), { changesId: true, keeps: [] }),
  request('update the user', (session) => updateUser(session, { id: session.facts.userId ?? 'nobody' }), {
    codes: ['SESSION_LOGIN_REQUIRED', ...SUPERSEDED],
  }),
  request('act as another user', (session) => actAs(session, BOB, TICKET), {
    changesId: true,
    shows: 'bob',
    codes: LOST,
  }),
  request(
    'act as another user, but the response fails',
    (session) => actAs(session, BOB, TICKET),
    confirmFails(),
    true,
  ),
  request('stop acting', (session) => stopActing(session), { changesId: true, shows: 'alice' }),
  request('stop acting, but the response fails', (session) => stopActing(session), confirmFails(), true),
  outside(
    'revoke the user as whom somebody acts',
    ({ server }) => server.engine.users.revokeUser('bob', undefined, 'revoked'),
    {
      ends: 'user',
      isAboutShown: true,
    },
  ),
  outside('revoke the session', ({ server, handle }) => server.engine.users.revoke(handle, 'alice', 'revoked'), {
    ends: 'own',
  }),
  outside('revoke the user', ({ server }) => server.engine.users.revokeUser('alice', undefined, 'revoked'), {
    ends: 'user',
  }),
  outside('revoke all', async ({ server }) => revokeAll(server.engine, {}), { ends: 'everybody' }),
  outside('revoke all but the session', async ({ server, handle }) => revokeAll(server.engine, { except: handle }), {
    ends: 'others',
  }),
  outside(
    'revoke the user but the session',
    ({ server, handle }) => server.engine.users.revokeUser('alice', handle, 'revoked'),
    { ends: 'others' },
  ),
  outside('update the user everywhere', ({ server }) => updateUserEverywhere(server.engine, 'alice', NEW), {
    renames: NEW.name,
  }),
  outside('change the user everywhere', changeUser, { renames: NEW_NAME, checks: 'due' }),
  outside('rename', ({ server, handle }) => renameSession(server.engine, handle, 'alice', 'phone')),
  outside(
    'update from outside',
    ({ server, handle }) =>
      updateSession(server.engine, handle, (data) => void Object.assign(data, { outside: 'anonymous' })),
    { writes: 'outside' },
  ),
  request('log in elsewhere, evicting', logIn('alice'), {
    ...{ logsIn: 'alice', isElsewhere: true, evicts: true, options: evict },
  }),
  request('log in elsewhere, evicting all', logIn('alice'), {
    ...{ logsIn: 'alice', isElsewhere: true, evicts: true, options: evictAll },
  }),
  request('log in elsewhere, unless refused', logIn('alice'), {
    ...{ logsIn: 'alice', isElsewhere: true, codes: ['SESSION_LIMIT_REACHED', ...SUPERSEDED], options: refuse },
  }),
  move('move in', () => undefined, 'alice'),
  move('move in and log in as another user', logIn('bob'), 'bob'),
  proof('bind', 'bind'),
  proof('refresh', 'refresh'),
  proof('refresh an aged id', 'refresh', { isAged: true }),
  proof('refresh with another key', 'other key'),
  proof('refresh with an old proof', 'old proof'),
  request('come without the proof', (session) => put(session, 'written'), {
    isBare: true,
    codes: ['SESSION_PROOF_REQUIRED', ...SUPERSEDED],
  }),
  request('log in without the proof', logIn('alice'), { isBare: true, logsIn: 'alice', ends: 'own' }),
  request('log in as another user without the proof', logIn('bob'), { isBare: true, logsIn: 'bob' }),
  request('log out without the proof', (session) => session.logout(), {
    isBare: true,
    codes: ['SESSION_PROOF_REQUIRED', ...SUPERSEDED],
  }),
  outside('change the password', (performer) => performer.changePassword(), { checks: 'always', ends: 'user' }),
  outside('delete the user', (performer) => performer.deleteUser(), { checks: 'always', ends: 'user' }),
  outside('change the password before the next check', (performer) => performer.changePassword(), { checks: 'later' }),
  ...COMBINED_ACTS,
  ...OTHER_ACTS,
  ...HOSTILE_ACTS,
  ...SEQUENCES,
]

function confirmFails(): Omit<Act, 'name' | 'perform'> {
  return { changesId: true, isFailure: true, codes: LOST }
}

async function changeUser(performer: Performer): Promise<number> {
  await performer.renameUser()
  return updateUserEverywhere(performer.server.engine, 'alice', NEW)
}

async function completeLogin(session: RequestSession): Promise<void> {
  if (session.facts.pendingUser === null) return
  await login(session, session.facts.pendingUser, { methods: ['otp'] })
}
