import t from 'tap'
import { lifetimesAtLogin, longestLife } from '../../lib/session/user-lifetimes.ts'
import type { LifetimeOptions } from '../../lib/options.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const ann = { id: 'ann' }

/** Returns the lifetimes at a login, or what the refusal says. */
function atLogin(userLifetimes: LifetimeOptions | undefined): unknown {
  try {
    return lifetimesAtLogin({ userLifetimes }, ann)
  } catch (error) {
    return (error as Error & { code: string }).code + (error as Error).message
  }
}

t.test('lifetimes without functions are kept in no record', async (t) => {
  t.equal(atLogin(undefined), undefined)
})

t.test('each function is asked with the user, and the other lifetimes are those of the options', async (t) => {
  const asked: unknown[] = []
  const userLifetimes: LifetimeOptions = {
    idleTimeout: (user) => {
      asked.push(user)
      return '10m'
    },
    absoluteTimeout: '1h',
  }
  t.strictSame(atLogin(userLifetimes), {
    idleTimeout: 10 * MINUTE,
    absoluteTimeout: HOUR,
    rememberTimeout: 14 * DAY,
  })
  t.strictSame(asked, [ann])
  t.match(atLogin({ absoluteTimeout: () => '2h' }), { idleTimeout: 30 * MINUTE, absoluteTimeout: 2 * HOUR })
  t.match(atLogin({ rememberTimeout: () => '2d' }), { absoluteTimeout: 12 * HOUR, rememberTimeout: 2 * DAY })
})

t.test('an answer longer than the assurance level allows counts as the limit of the level', async (t) => {
  const greedy = {
    idleTimeout: () => '8h',
    absoluteTimeout: () => '30d',
    rememberTimeout: () => '90d',
  } satisfies LifetimeOptions
  t.strictSame(atLogin({ ...greedy, assurance: 'aal3' }), {
    idleTimeout: 15 * MINUTE,
    absoluteTimeout: 12 * HOUR,
    rememberTimeout: 12 * HOUR,
  })
  t.match(atLogin({ ...greedy, assurance: 'aal3', idleTimeout: () => '14m' }), { idleTimeout: 14 * MINUTE })
  t.strictSame(atLogin(greedy), { idleTimeout: 8 * HOUR, absoluteTimeout: 30 * DAY, rememberTimeout: 90 * DAY })
})

t.test('lifetimes may be equal, and a longer one inside of a shorter one is refused', async (t) => {
  const same = {
    idleTimeout: () => '1h',
    absoluteTimeout: () => '1h',
    rememberTimeout: () => '1h',
  } satisfies LifetimeOptions
  t.strictSame(atLogin(same), { idleTimeout: HOUR, absoluteTimeout: HOUR, rememberTimeout: HOUR })
  t.match(
    atLogin({ ...same, idleTimeout: () => '3600001ms' }),
    /SESSION_OPTION_INVALID.*idleTimeout is longer than absoluteTimeout for this user/,
  )
  t.match(
    atLogin({ ...same, rememberTimeout: () => '3599999ms' }),
    /SESSION_OPTION_INVALID.*absoluteTimeout is longer than rememberTimeout for this user/,
  )
})

t.test('an answer that is no duration is refused by the name of its option', async (t) => {
  for (const name of ['idleTimeout', 'absoluteTimeout', 'rememberTimeout'] as const) {
    for (const answer of ['0s', 'soon', 15, undefined, null]) {
      t.match(
        atLogin({ [name]: () => answer as never }),
        new RegExp(`SESSION_OPTION_INVALID.*${name} of a user is a duration such as '15m', and longer than zero`),
      )
    }
  }
  t.match(atLogin({ idleTimeout: () => '1ms' }), { idleTimeout: 1 })
})

t.test('the longest life is the longer timeout, or that of a cookie where functions decide', async (t) => {
  const fixed = { absoluteTimeout: 5, rememberTimeout: 7, userLifetimes: undefined }
  t.equal(longestLife(fixed), 7)
  t.equal(longestLife({ ...fixed, absoluteTimeout: 9 }), 9)
  t.equal(longestLife({ ...fixed, userLifetimes: {} }), 400 * DAY)
  t.equal(longestLife({ ...fixed, rememberTimeout: 500 * DAY, userLifetimes: {} }), 500 * DAY)
})
