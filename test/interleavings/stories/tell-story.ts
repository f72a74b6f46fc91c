import { formatDuration } from '../../../lib/session/duration.ts'
import type { Call, Request, Rules, Step, Times } from './story.ts'
import { USERS } from './story.ts'

const ENDINGS: Readonly<Record<Request['ending'], string>> = {
  answered: '',
  thrown: ', then throws',
  failed: ', but the response fails',
  lost: ', but the response is lost',
}

/** Tells of the settings of a story. */
export function tellRules({ times, limit, asks, renewal, copied, hasHeader, isCached, isBindable }: Rules): string {
  const parts = [
    ...(times === undefined ? [] : USERS.map((user) => `${user} is given ${tellTimes(times[user])}`)),
    ...(limit === undefined
      ? []
      : [`${limit.count} sessions of ${limit.isByUser ? 'alice and 3 of bob' : 'a user'}, else ${limit.onLimit}`]),
    ...(asks === undefined ? [] : [`users and passwords are asked for after ${asks}`]),
    `ids are renewed after ${renewal}`,
    ...(copied === 'end' ? [] : ['a copied session goes on']),
    ...(hasHeader ? ['ids may come in a header'] : []),
    ...(isCached ? ['records are cached'] : []),
    ...(isBindable ? ['browsers are offered to bind sessions'] : []),
  ]
  return parts.join('; ')
}

function tellTimes({ idle, absolute, remembered }: Times): string {
  return [idle, absolute, remembered].map((time) => formatDuration(time)).join('/')
}

/** Tells of one step. */
export function tellStep(step: Step): string {
  switch (step.name) {
    case 'request':
      return tellRequest(step)
    case 'wait':
      return `${formatDuration(step.time)} pass`
    case 'set the clock back':
      return `the clock is set back by ${formatDuration(step.time)}`
    case 'revoke':
      return `the app revokes session ${step.session} of ${step.user}`
    case 'revoke the user':
      return `the app revokes ${step.user}${exceptOf(step)}`
    case 'revoke all':
      return `the app revokes all${step.ago === undefined ? '' : ` from before ${formatDuration(step.ago)} ago`}${exceptOf(step)}`
    case 'update everywhere':
      return `the app calls ${step.user} ${step.called} everywhere`
    case 'rename':
      return `${step.user} names session ${step.session} ${step.label ?? 'nothing'}`
    case 'update from outside':
      return `the app adds to ${step.key} of session ${step.session}`
    case 'restart the process':
      return 'the process restarts'
    case 'change the name':
      return `the database calls ${step.user} ${step.called}`
    default:
      return `${step.name}: ${step.user}`
  }
}

function exceptOf({ except }: { readonly except: number | undefined }): string {
  return except === undefined ? '' : ` but session ${except}`
}

function tellRequest({
  browser,
  shows,
  calls,
  ending,
  isStranger,
  isPassive,
  isStaleFine,
  isLate,
  carrier,
}: Request): string {
  const who = isStranger ? 'a stranger' : `browser ${browser}`
  const what = calls.length === 0 ? 'reads' : calls.map(tellCall).join(', ')
  const route = `${isStaleFine ? ' without a question for the user' : ''}${isLate ? ' after the response began' : ''}`
  const how = `${isPassive ? ' passively' : ''}${route}${carrier === 'stream' ? ' in a stream' : ''}`
  return `${who}${shows === 'own' ? '' : ` with id ${shows}`}: ${what}${how}${ENDINGS[ending]}`
}

function tellCall(call: Call): string {
  const { name, ...options } = call
  const told = Object.entries(options).flatMap(([option, value]) =>
    value === undefined || value === false || (Array.isArray(value) && value.length === 0 && option === 'methods')
      ? []
      : [`${option} ${Array.isArray(value) ? `[${value.join()}]` : String(value)}`],
  )
  return told.length === 0 ? name : `${name} (${told.join(', ')})`
}
