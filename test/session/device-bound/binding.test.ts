import t from 'tap'
import {
  afterProof,
  bindingIdOf,
  isBinding,
  isBindingShown,
  MAX_PROOFS,
  newBinding,
  PRINT_LENGTH,
  readBinding,
  withBindingShown,
  writeBinding,
} from '../../../lib/session/device-bound/binding.ts'
import type { Binding } from '../../../lib/session/device-bound/binding.ts'

const KEY = { x: 'x'.repeat(43), y: 'y'.repeat(43) }
const printAt = (index: number): string => String(index).padStart(PRINT_LENGTH, 'p')
const prints = (count: number): string[] => Array.from({ length: count }, (_, index) => printAt(index))

t.test('a new binding demands nothing yet, and has an id and a challenge that no other has', async (t) => {
  const [one, other] = [newBinding(KEY), newBinding(KEY)]
  t.strictSame(one, { id: one.id, seed: one.seed, isShown: false, key: KEY, previousSeed: '', prints: [] })
  t.equal(new Set([one.id, one.seed, other.id, other.seed]).size, 4)
})

t.test('a binding is read as it was written, with none and with all proofs over its previous challenge', async (t) => {
  const fresh = newBinding(KEY)
  for (const binding of [
    fresh,
    { ...fresh, isShown: true },
    { ...fresh, previousSeed: newBinding(KEY).seed, prints: prints(1) },
    { ...fresh, isShown: true, previousSeed: newBinding(KEY).seed, prints: prints(MAX_PROOFS) },
  ]) {
    const text = writeBinding(binding)
    t.ok(isBinding(text))
    t.strictSame(readBinding(text), binding)
    t.equal(bindingIdOf(text), binding.id)
    t.equal(isBindingShown(text), binding.isShown)
    t.strictSame(readBinding(withBindingShown(text)), { ...binding, isShown: true })
  }
})

t.test('only a text of the one layout is a binding', async (t) => {
  const binding = newBinding(KEY)
  const text = writeBinding(binding)
  const wrong: unknown[] = [
    undefined,
    null,
    7,
    [text],
    '',
    'x',
    ` ${text}`,
    `${text}.`,
    text.replace('1.0', '2.0'),
    text.replace('1.0', '1.2'),
    text.replace(binding.id, binding.id.slice(1)),
    text.replace('xx', 'x'),
    text.replace('yy', 'y'),
    text.replace(binding.seed, ''),
    text.replace('..', '.a.'),
    `${text}${printAt(0).slice(1)}`,
    writeBinding({ ...binding, prints: prints(MAX_PROOFS + 1) }),
  ]
  for (const value of wrong) t.notOk(isBinding(value), String(value).slice(0, 60))
})

t.test('a proof over the open challenge opens a new one, and is the first that counts over the old one', async (t) => {
  const before: Binding = { ...newBinding(KEY), previousSeed: 'old', prints: [printAt(1)] }
  const after = afterProof(before, 'open', printAt(1)) as Binding
  const { id, key, seed } = before
  t.match(after, { id, key, isShown: true, previousSeed: seed, prints: [printAt(1)] })
  t.equal(after.prints.length, 1)
  t.notOk([seed, 'old', ''].includes(after.seed))
})

t.test(
  'a proof over the previous challenge counts once, leaves the open one, and is one of a bounded number',
  async (t) => {
    const before: Binding = { ...newBinding(KEY), previousSeed: 'old', prints: prints(MAX_PROOFS - 1) }
    t.equal(afterProof(before, 'previous', printAt(0)), 'replayed')
    const last = printAt(MAX_PROOFS - 1)
    const after = afterProof(before, 'previous', last) as Binding
    t.strictSame(after, { ...before, isShown: true, prints: prints(MAX_PROOFS) })
    t.equal(afterProof(after, 'previous', printAt(MAX_PROOFS)), 'stale')
    t.equal(afterProof(after, 'previous', last), 'replayed', 'a replay stays one when the list is full')
  },
)
