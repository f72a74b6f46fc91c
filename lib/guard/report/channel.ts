import { channel } from 'node:diagnostics_channel'
import type { Finding } from '../../../types/index.ts'

/** The findings of one phase of the guard. */
export interface GuardReport {
  readonly findings: readonly Finding[]
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** The options that were judged. They stay in this process. */
  readonly options?: unknown
}

// A name rather than an import: the command line may come from another copy of the package than the app.
const CHANNEL = 'fastify-session-guard.findings'

/** Tells whoever listens what was found, before a boot is refused for it. */
export function publishReport(report: GuardReport): void {
  channel(CHANNEL).publish(report)
}

/** Hears what all phases find, in all apps of this process. */
export function onReport(listener: (report: GuardReport) => void): void {
  channel(CHANNEL).subscribe((message) => listener(message as GuardReport))
}
