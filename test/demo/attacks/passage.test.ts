import t from 'tap'
import { ATTACKS } from '../../../lib/demo/attacks/all.ts'
import { readPassage } from '../../../lib/demo/attacks/passage.ts'

t.test('every passage that an attack names stands in lib', async (t) => {
  for (const { title, passages } of ATTACKS) {
    t.ok(passages.length > 0, title)
    for (const name of passages) {
      const { file, lines } = await readPassage(name)
      t.ok(file.startsWith(`lib/${name.room}/`), file)
      t.ok(lines.length <= 60, `${name.name} is short enough for a page`)
      t.match(lines.find(({ isStop }) => isStop)?.text, name.stop)
      t.match(lines.at(-1)?.text, /^ {0,2}\}$/, `${name.name} ends with its closing brace`)
    }
  }
})

t.test('a passage begins with the comment above the declaration', async (t) => {
  const { lines, firstLine } = await readPassage({ room: 'http', name: 'isCrossOrigin', stop: 'Sec-Fetch-Site' })
  t.match(lines[0]?.text, /^\/\*\*/)
  t.ok(firstLine > 1)
  t.match(lines.map(({ text }) => text).join('\n'), '\nexport function isCrossOrigin(')
})

t.test('a passage that is gone, ambiguous, or without its decisive line is an error that says so', async (t) => {
  await t.rejects(readPassage({ room: 'http', name: 'neverDeclared', stop: '' }), {
    message: 'lib/http declares neverDeclared 0 times',
  })
  await t.rejects(readPassage({ room: 'stores', name: 'delete', stop: '' }), {
    message: /^lib\/stores declares delete \d times$/,
  })
  await t.rejects(readPassage({ room: 'http', name: 'isCrossOrigin', stop: 'no such text' }), {
    message: /^no line of isCrossOrigin in lib\/http\/[\w-]+\.ts contains no such text$/,
  })
})
