import t from 'tap'
import { ATTACKS } from '../../../lib/demo/attacks/all.ts'
import { readPassage } from '../../../lib/demo/attacks/passage.ts'

t.test('every passage that an attack names stands in lib', async (t) => {
  for (const { title, passages } of ATTACKS) {
    t.ok(passages.length > 0, title)
    for (const name of passages) {
      const { file, lines } = await readPassage(name)
      t.ok(file.startsWith(`lib/${name.room}/`), file)
      t.ok(lines.length <= 40, `${name.name} is short enough for a page`)
      t.match(lines.find(({ isStop }) => isStop)?.text, name.stop)
      t.match(lines.at(-1)?.text, /^ {0,2}\}$/, `${name.name} ends with its closing brace`)
    }
  }
})

t.test('a passage begins with the comment above the declaration', async (t) => {
  const { lines } = await readPassage({ room: 'http', name: 'judgeOrigin', stop: 'SAFE_METHODS' })
  t.match(lines[0]?.text, /^\/\*\*/)
  t.ok((lines[0]?.number ?? 0) > 1)
  t.match(lines.map(({ text }) => text).join('\n'), '\nexport function judgeOrigin(')
})

t.test('a passage that is gone, ambiguous, or without its decisive line is an error that says so', async (t) => {
  await t.rejects(readPassage({ room: 'http', name: 'neverDeclared', stop: '' }), {
    message: 'lib/http declares neverDeclared 0 times',
  })
  await t.rejects(readPassage({ room: 'stores', name: 'delete', stop: '' }), {
    message: /^lib\/stores declares delete \d times$/,
  })
  await t.rejects(readPassage({ room: 'http', name: 'judgeOrigin', stop: 'no such text' }), {
    message: /^no line of judgeOrigin in lib\/http\/[\w-]+\.ts contains no such text$/,
  })
})

t.test('a passage leaves out lines far from the decisive line, and marks the gap', async (t) => {
  const { lines } = await readPassage({ room: 'session', name: 'judgeClosely', stop: "case 'older'" })
  const gaps = lines.filter(({ isAfterGap }) => isAfterGap)
  t.equal(gaps.length, 1)
  for (const [place, { number, isAfterGap }] of lines.entries()) {
    if (place > 0) t.equal(number === (lines[place - 1]?.number ?? 0) + 1, !isAfterGap)
  }
})
