import { mock } from 'node:test'
import t from 'tap'
import type { Answer } from '../../lib/stores/express-answer.ts'
import { answerOf } from '../../lib/stores/express-answer.ts'

t.test('a call without a time limit may take as long as it takes', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let answer: Answer = () => undefined
  const answered = answerOf((callback) => void (answer = callback), true)
  mock.timers.tick(600_000)
  answer(null, 'late')
  t.equal(await answered, 'late')
})

t.test('a returned value that is no promise is no answer', async (t) => {
  for (const returned of [undefined, null, true, 7, 'then', {}, JSON.parse('{"then":7}')] as unknown[]) {
    for (const hasCallback of [true, false]) {
      const answered = answerOf((answer) => (queueMicrotask(() => answer(null, 'answer')), returned), hasCallback)
      t.equal(await answered, 'answer', JSON.stringify({ returned, hasCallback }))
    }
  }
})
