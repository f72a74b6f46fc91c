import t from 'tap'
import type { LifetimeOptions } from '../../lib/options.ts'
import { lifetimesAtLogin, longestLife } from '../../lib/session/user-lifetimes.ts'
import type { Duration, KeptLifetimes } from '../../types/index.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const ANN = { id: 'ann' }

/** Returns a function that gives each user the same. */
function always(duration: Duration): () => Duration {
  return () => duration
}

/** Returns the lifetimes of a login of `ann`. */
function atLogin(userLifetimes: LifetimeOptions): KeptLifetimes | undefined {
  return lifetimesAtLogin({ userLifetimes }, ANN)
}

t.test('a login gets lifetimes of its own only where a function gives some', async (t) => {
  t.equal(lifetimesAtLogin({ userLifetimes: undefined }, ANN), undefined)
  const asked: unknown[] = []
  const idleTimeout = (user: unknown): Duration => {
    asked.push(user)
    return '10m'
  }
  t.strictSame(atLogin({ idleTimeout, absoluteTimeout: '2h' }), {
    idleTimeout: 10 * MINUTE,
    absoluteTimeout: 120 * MINUTE,
    rememberTimeout: 14 * DAY,
  })
  t.strictSame(asked, [ANN], 'the function hears the user once')
})

t.test('lifetimes of the same length are in order, and a longer one before a shorter one is refused', async (t) => {
  const all = { idleTimeout: always('1h'), absoluteTimeout: always('1h'), rememberTimeout: always('1h') }
  const hour = 60 * MINUTE
  t.strictSame(atLogin(all), { idleTimeout: hour, absoluteTimeout: hour, rememberTimeout: hour })
  const code = 'SESSION_OPTION_INVALID'
  t.throws(() => atLogin({ ...all, idleTimeout: always('61m') }), {
    code,
    message: /idleTimeout is longer than absoluteTimeout for this user/,
  })
  t.throws(() => atLogin({ ...all, rememberTimeout: always('59m') }), {
    code,
    message: /absoluteTimeout is longer than rememberTimeout for this user/,
  })
})

t.test('the assurance level, or the 400 days of a cookie, bounds each answer', async (t) => {
  const greedy = { idleTimeout: always('900d'), absoluteTimeout: always('900d'), rememberTimeout: always('900d') }
  const limit = 400 * DAY
  t.strictSame(atLogin(greedy), { idleTimeout: limit, absoluteTimeout: limit, rememberTimeout: limit })
  t.strictSame(atLogin({ ...greedy, assurance: 'aal3' }), {
    idleTimeout: 15 * MINUTE,
    absoluteTimeout: 720 * MINUTE,
    rememberTimeout: 720 * MINUTE,
  })
})

t.test('the longest life counts what a function may give', async (t) => {
  const longest = (absoluteTimeout: number, rememberTimeout: number, userLifetimes?: LifetimeOptions): number =>
    longestLife({ absoluteTimeout, rememberTimeout, userLifetimes })
  t.equal(longest(5, 7), 7)
  t.equal(longest(9, 7), 9)
  t.equal(longest(5, 7, {}), 400 * DAY)
  t.equal(longest(5, 500 * DAY, {}), 500 * DAY)
})

t.test('an answer that is no duration, or zero, is refused with the name of the option', async (t) => {
  const code = 'SESSION_OPTION_INVALID'
  for (const answer of ['0s', 'soon', 15, undefined]) {
    for (const name of ['idleTimeout', 'absoluteTimeout', 'rememberTimeout'] as const) {
      const message = new RegExp(`${name} of a user is a duration such as '15m', and longer than zero`)
      t.throws(() => atLogin({ [name]: () => answer as Duration }), { code, message })
    }
  }
  t.match(atLogin({ idleTimeout: always('1ms') }), { idleTimeout: 1 }, 'the shortest one')
})
