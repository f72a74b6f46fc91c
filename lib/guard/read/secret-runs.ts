/** The rows of a keyboard, each with its distance from the left edge in keys. */
const ROWS = [
  { keys: '1234567890-=', shift: 0 },
  { keys: 'qwertyuiop[]', shift: 0.5 },
  { keys: "asdfghjkl;'", shift: 0.75 },
  { keys: 'zxcvbnm,./', shift: 1.25 },
]

const PLACES: ReadonlyMap<string, { readonly x: number; readonly y: number }> = new Map(
  ROWS.flatMap(({ keys, shift }, y) => keys.split('').map((key, x) => [key, { x: x + shift, y }] as const)),
)

/** A shorter text is a run by chance. */
const SHORTEST = 16

/** The part of the steps that random characters never reach: they come to half of it. */
const MOST = 2 / 3

/** The longest distance at which characters of a run count on: `a1b2c3` has two, `aaaabbbb` four. */
const LONGEST_PERIOD = 4

/** Tells whether a text runs along the alphabet, the digits or the keyboard: `a1b2c3…`, `aaaabb…`, `zaq12wsx…`. */
export function isRun(text: string): boolean {
  const lower = text.toLowerCase()
  const plain = lower.replaceAll(/[^a-z\d]/g, '')
  return (plain.length >= SHORTEST && isCounted(plain)) || (lower.length >= SHORTEST && isKeyboardWalk(lower))
}

/** The same step, over and over, from a character to the one that stands a period behind it. */
function isCounted(text: string): boolean {
  for (let period = 1; period <= LONGEST_PERIOD; period += 1) {
    const steps = new Map<number, number>()
    for (let index = period; index < text.length; index += 1) {
      const step = text.charCodeAt(index) - text.charCodeAt(index - period)
      steps.set(step, (steps.get(step) ?? 0) + 1)
    }
    if (Math.max(...steps.values()) >= MOST * (text.length - period)) return true
  }
  return false
}

function isKeyboardWalk(text: string): boolean {
  let near = 0
  for (let index = 1; index < text.length; index += 1) {
    const [from, to] = [PLACES.get(text.charAt(index - 1)), PLACES.get(text.charAt(index))]
    if (from === undefined || to === undefined) continue
    if (Math.abs(from.y - to.y) <= 1 && Math.abs(from.x - to.x) <= 1) near += 1
  }
  return near >= MOST * (text.length - 1)
}
