import t from 'tap'
import type { Settings } from '../../lib/options.ts'
import { isLoginBefore, limitOf } from '../../lib/session/session-limit.ts'
import { NOW, recordAt } from './records.ts'

t.test('the earlier login is the one with the earlier instant; two of one instant are told apart', async (t) => {
  const at = (authenticatedAt: number | null, handle: string) => recordAt(NOW, { authenticatedAt, handle })
  for (const [one, other, isBefore] of [
    [at(NOW - 1, 'z'), at(NOW, 'a'), true],
    [at(NOW, 'a'), at(NOW - 1, 'z'), false],
    [at(NOW, 'a'), at(NOW - 0.5, 'z'), false],
    [at(NOW, 'a'), at(NOW, 'b'), true],
    [at(NOW, 'b'), at(NOW, 'a'), false],
    [at(NOW, 'a'), at(NOW, 'a'), false],
    [at(null, 'z'), at(NOW, 'a'), true],
  ] as const) {
    t.equal(isLoginBefore(one, other), isBefore, `${one.authenticatedAt} ${one.handle} ${other.authenticatedAt}`)
  }
})

t.test('a limit is a whole number from 1, or a function of the user that gives one', async (t) => {
  const limited = (limit: unknown): Settings =>
    ({ maxSessions: limit === undefined ? undefined : { limit, onLimit: 'evict' } }) as Settings
  t.equal(limitOf({ id: 'ann' }, limited(undefined)), Infinity)
  for (const limit of [1, 2, 1000, Infinity]) {
    t.equal(limitOf({ id: 'ann' }, limited(limit)), limit)
    t.equal(
      limitOf(
        { id: 'ann' },
        limited(({ id }: { id: string }) => (id === 'ann' ? limit : 0)),
      ),
      limit,
    )
  }
  for (const limit of [0, -1, 1.5, 0.5, NaN, -Infinity, '2', null]) {
    t.throws(
      () =>
        limitOf(
          { id: 'ann' },
          limited(() => limit),
        ),
      { code: 'SESSION_OPTION_INVALID', message: /maxSessions gives a whole number from 1/ },
      String(limit),
    )
  }
})
