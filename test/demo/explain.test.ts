import t from 'tap'
import { explain } from '../../lib/demo/explain.ts'

const coded = (code: string): Error => Object.assign(new Error('listen'), { code })

t.test('a port that cannot be opened is explained, with a way to choose another', async (t) => {
  t.equal(explain(coded('EADDRINUSE'), 3000), 'Port 3000 is taken. Choose another: PORT=3100 npm start')
  t.equal(explain(coded('EACCES'), 80), 'Port 80 is not yours to use. Choose another: PORT=3100 npm start')
})

t.test('an unexpected error is shown with its stack', async (t) => {
  t.match(explain(new Error('odd'), 3000), /^Error: odd\n {4}at /)
})
