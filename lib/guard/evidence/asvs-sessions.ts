import * as option from './options.ts'
import { atLevel, decided, kept, yours } from './requirement.ts'
import type { Requirement } from './requirement.ts'

const REVOCATION = ['test/attacks/revocation.ts', 'test/plugin/sessions-api.test.ts']
const POLICY = 'The command `npx fastify-session-guard policy` prints the document; add the reasons for your choices.'

/** OWASP ASVS 5.0, chapter V7, all 19 requirements. */
export const ASVS_SESSIONS: readonly Requirement[] = [
  ...atLevel(
    2,
    yours('7.1.1', 'Document idle and absolute lifetimes, and why they differ from NIST SP 800-63B.', POLICY),
    yours('7.1.2', 'Document how many sessions an account may have at once, and what happens at the limit.', POLICY),
    yours(
      '7.1.3',
      'Document every system that takes part in a federated login, and how session ends are coordinated.',
      POLICY,
    ),
  ),
  ...atLevel(
    1,
    kept(
      '7.2.1',
      'Check session tokens on the server.',
      'Each id is checked against its signature and the record in the store. Nothing is decided by the browser.',
      ['test/session/id.test.ts', 'test/http/hooks.test.ts'],
    ),
    kept(
      '7.2.2',
      'Make tokens for each session; no static keys.',
      'An id is made when a session begins, and names a record of its own.',
      ['test/session/id.test.ts'],
    ),
    kept(
      '7.2.3',
      'Reference tokens are unique, from a CSPRNG, with 128 bits of entropy or more.',
      'The secret half of an id has 16 bytes of node:crypto randomBytes beside a MAC; the handle has 16 more.',
      ['test/session/id.test.ts'],
    ),
    kept(
      '7.2.4',
      'A login and a renewed login make a new token and end the current one.',
      '`req.login` and `req.confirmLogin` replace the secret in the same write that ends the old one.',
      ['test/attacks/fixation.ts', 'test/plugin/login.test.ts', 'test/plugin/fresh-login.test.ts'],
    ),
  ),
  ...atLevel(
    2,
    decided(
      '7.3.1',
      'Inactivity ends a session, as documented.',
      'idleTimeout',
      option.idleTimeout,
      'The server keeps the deadline, whatever the cookie claims. A remembered session has no idle deadline.',
      ['test/plugin/lifetimes.test.ts', 'test/session/lifetime.test.ts'],
    ),
    decided(
      '7.3.2',
      'A session ends after a longest lifetime, as documented.',
      'absoluteTimeout',
      option.absoluteTimeout,
      'The deadline is counted from the login and is never moved by use.',
      ['test/plugin/lifetimes.test.ts', 'test/session/lifetime.test.ts'],
    ),
  ),
  ...atLevel(
    1,
    kept(
      '7.4.1',
      'Logout and expiry end the session, also for the back button and parties behind the app.',
      'The record is gone when `req.logout()` resolves, and responses of a session are kept out of caches. ' +
        'Parties that took the session over must be told by the app.',
      [
        'test/attacks/logout.ts',
        'test/attacks/resurrection.ts',
        'test/plugin/logout.test.ts',
        'test/plugin/caching.test.ts',
      ],
    ),
    yours(
      '7.4.2',
      'Disabling or deleting an account ends its sessions.',
      'Call `app.sessions.revokeUser(userId)` there; with `authHash` and `loadUser` a deleted user’s sessions end by themselves.',
      REVOCATION,
    ),
  ),
  ...atLevel(
    2,
    decided(
      '7.4.3',
      'A change of a password or of another factor can end the other sessions.',
      'authHash',
      option.credentials,
      'With `authHash` and `loadUser` older sessions end by themselves; without, call `revokeUser(userId, { except })`.',
      ['test/plugin/auth-hash.test.ts', ...REVOCATION],
    ),
    yours(
      '7.4.4',
      'Every page behind a login offers a logout.',
      'Put a form that posts to your logout route on each page.',
    ),
    kept(
      '7.4.5',
      'Administrators can end the sessions of a user, or of all users.',
      '`app.sessions.revokeUser`, and the command `fastify-session-guard revoke`. For all users: change the `secret`.',
      [...REVOCATION, 'test/cli/sessions.test.ts'],
    ),
    yours(
      '7.5.1',
      'Changing an e-mail address, a factor or recovery data asks for a login again.',
      "Guard these routes with `app.requireLogin({ within: '10m' })`.",
      ['test/plugin/fresh-login.test.ts'],
    ),
    yours(
      '7.5.2',
      'Users see their sessions and, after a new login, can end any of them.',
      'Build the page on `app.sessions.list` and `revoke`, behind `app.requireLogin({ within })`.',
      ['test/plugin/sessions-api.test.ts', 'test/browser/devices.test.ts'],
    ),
  ),
  ...atLevel(
    3,
    yours(
      '7.5.3',
      'Highly sensitive operations ask for a login again, or for a second proof.',
      'Guard them with `app.requireLogin({ within })`, and call `req.confirmLogin()` after the proof.',
      ['test/plugin/fresh-login.test.ts'],
    ),
  ),
  ...atLevel(
    2,
    yours(
      '7.6.1',
      'Sessions of relying parties and identity providers live and end as documented.',
      'Keep `absoluteTimeout` below the provider’s, and end sessions at back-channel logout with `app.sessions`.',
      ['test/neighbours/oauth2.test.ts'],
    ),
    yours(
      '7.6.2',
      'A session begins by consent or by an act of the user.',
      'The plugin begins none by itself: call `req.login` only in answer to such an act.',
      ['test/plugin/login.test.ts'],
    ),
  ),
]
