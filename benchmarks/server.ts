import { performance } from 'node:perf_hooks'
import { Session } from 'node:inspector/promises'
import type { Profiler } from 'node:inspector'

/** The resources that a server has used since it started. */
interface Usage {
  /** Processor time of all its threads, in microseconds. */
  readonly cpu: number
  /** Milliseconds in which its event loop was busy, and in which it waited. */
  readonly active: number
  readonly idle: number
}

/** The questions that the parent may ask a server process, each with its answer. */
export interface Answers {
  usage: Usage
  'profile-start': null
  'profile-stop': Profiler.Profile
}

/** Answers the parent until it disconnects, which ends the process: no server outlives the benchmark. */
export function answerParent(): void {
  const session = new Session()
  process.on('disconnect', () => process.exit())
  process.on('message', (question: keyof Answers) => {
    void answer(question, session).then((reply) => process.send?.(reply))
  })
}

async function answer(question: keyof Answers, session: Session): Promise<Answers[keyof Answers]> {
  if (question === 'usage') return usage()
  if (question === 'profile-stop') return (await session.post('Profiler.stop')).profile
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  return null
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  const { active, idle } = performance.eventLoopUtilization()
  return { cpu: user + system, active, idle }
}
