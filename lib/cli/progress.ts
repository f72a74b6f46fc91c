import type { Io } from './io.ts'
import { usesColor } from './io.ts'

/** Milliseconds between two reports of how far the work has come. */
const INTERVAL = 250

/** Moves up one line and empties it. */
const REWRITE = '\u001b[1A\u001b[2K'

/** A line of a terminal that is written again while work goes on. */
export interface Progress {
  /** Reports how much is done, unless the last report is too fresh or the output is no terminal. */
  readonly show: (total: number) => void
  /** Writes the last line in the place of the reports. */
  readonly end: (last: string) => void
}

/** Reports the progress of a command. `wordsFor` says how much is done. */
export function progressOn(io: Io, wordsFor: (total: number) => string): Progress {
  let shownAt = performance.now()
  let isShown = false
  const write = (text: string): void => {
    io.out(isShown ? `${REWRITE}${text}` : text)
    isShown = true
  }
  return {
    show(total) {
      const now = performance.now()
      if (!usesColor(io) || now - shownAt < INTERVAL) return
      shownAt = now
      write(wordsFor(total))
    },
    end: write,
  }
}
