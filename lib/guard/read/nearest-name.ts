const MAX_NAME = 40

/** The candidate that a misspelt name most likely meant; `undefined` when none is near. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME) return undefined
  const wanted = plain(name)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const near = plain(candidate)
    if (Math.abs(near.length - wanted.length) >= bestDistance) continue
    const distance = editDistance(wanted, near)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? beginning(wanted, candidates)
}

/** The candidate that a name breaks off in: `idle`, `samesite-none`. */
function beginning(wanted: string, candidates: Iterable<string>): string | undefined {
  if (wanted.length < 4) return undefined
  for (const candidate of candidates) {
    if (plain(candidate).startsWith(wanted)) return candidate
  }
  return undefined
}

/** A name without case and separators: `http_only`, `HttpOnly` and `httponly` are one. */
export function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours between two short words (optimal string alignment). */
function editDistance(left: string, right: string): number {
  const width = right.length + 1
  let older: number[] = []
  let previous = Array.from({ length: width }, (_, column) => column)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column < width; column += 1) {
      const isSame = left[row - 1] === right[column - 1]
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      )
      const isSwap = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (isSwap) cost = Math.min(cost, at(older, column - 2) + 1)
      current.push(cost)
    }
    older = previous
    previous = current
  }
  return at(previous, right.length)
}

function at(row: number[], column: number): number {
  return row[column] as number
}
