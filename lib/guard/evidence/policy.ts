import { describeLimit, levelsKept } from './options.ts'
import { invalidLines } from './render.ts'
import type { EvidenceSource } from './render.ts'
import type { ShownSettings } from './settings.ts'

/**
 * The session policy of an app, as far as the options say it. ASVS 5.0 asks to document this policy in 7.1.1 to 7.1.3.
 */
export function policyMarkdown({
  target,
  environment,
  settings,
}: Pick<EvidenceSource, 'target' | 'environment' | 'settings'>): string {
  return [
    `# Session policy of ${target}`,
    '',
    `From the options that secureSession is registered with; environment: ${environment}.`,
    'What the options cannot say is marked **To fill in**.',
    ...invalidLines(settings),
    '',
    ...lifetimes(settings),
    '',
    ...concurrency(settings),
    '',
    ...federation(),
    '',
    ...exceptions(settings),
  ].join('\n')
}

function lifetimes(settings: ShownSettings): string[] {
  const {
    idleTimeout,
    absoluteTimeout,
    renewalTimeout,
    rememberTimeout,
    assurance,
    checksCredentials,
    authCheckInterval,
  } = settings
  const levels = levelsKept(settings)
  return [
    '## Lifetimes (ASVS 7.1.1)',
    '',
    '| limit | value | what happens |',
    '| --- | --- | --- |',
    `| inactivity | ${idleTimeout} | The session ends; the next request is anonymous. |`,
    `| longest lifetime | ${absoluteTimeout} | The session ends, however busy; the user logs in again. |`,
    `| remembered login | ${rememberTimeout} | The longest lifetime when a login asks to be remembered; inactivity does not end it. |`,
    `| renewal of the id | ${renewalTimeout} | The id is replaced; the session goes on. |`,
    `| change of credentials | ${checksCredentials ? authCheckInterval : 'not checked'} | ${
      checksCredentials
        ? 'Older sessions of the user end within this time.'
        : 'Older sessions go on until the app revokes them.'
    } |`,
    '',
    `Assurance level asked for: ${assurance === null ? 'none' : assurance.toUpperCase()}.`,
    `Limits of NIST SP 800-63B-4 (sections 2.1.3, 2.2.3, 2.3.3) that these values keep: ${
      levels.length === 0 ? 'none' : levels.join(', ').toUpperCase()
    }.`,
    '',
    '**To fill in**: why these values fit the risk of the app, and the reason for each deviation from the level that it needs.',
  ]
}

function concurrency({ maxSessions }: ShownSettings): string[] {
  const action =
    maxSessions === null
      ? 'A user may have any number of sessions.'
      : maxSessions.onLimit === 'evict'
        ? 'One login too many ends the session that was used least recently.'
        : 'One login too many is refused with an error.'
  return [
    '## Sessions at once (ASVS 7.1.2)',
    '',
    `Limit for one account: ${describeLimit(maxSessions)}. ${action}`,
    '',
    '**To fill in**: why, and what the user sees.',
  ]
}

function federation(): string[] {
  return [
    '## Federated logins (ASVS 7.1.3)',
    '',
    'This app keeps its own sessions on its server. They end by the limits above, by logout, and by revocation.',
    '',
    '**To fill in**: each identity provider and relying party; how a logout there reaches this app; when a fresh login is asked for.',
  ]
}

function exceptions({ silenced }: ShownSettings): string[] {
  const rows = silenced.map(
    ({ rule, reason, expires }) => `| ${cell(rule)} | ${cell(reason)} | ${expires ?? 'never'} |`,
  )
  return [
    '## Accepted findings',
    '',
    ...(rows.length === 0 ? ['None.'] : ['| rule | reason | until |', '| --- | --- | --- |', ...rows]),
  ]
}

function cell(text: string): string {
  return text.replaceAll(/\p{C}/gu, ' ').replaceAll('|', String.raw`\|`)
}
