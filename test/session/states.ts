import type { LiveSession, Loaded } from '../../lib/session/load-session.ts'
import type { Rotation } from '../../lib/session/next-record.ts'
import type { RequestState } from '../../lib/session/request-state.ts'
import { initialState } from '../../lib/session/request-state.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import type { SessionRecord } from '../../types/index.ts'
import { NOW, ownedBy, recordAt } from './records.ts'

/** The snapshot of Bob, as JSON. */
export const BOB = '{"id":"bob"}'

/** A login of Bob that is staged. */
export const LOGIN: Rotation = {
  reason: 'login',
  identity: {
    userId: 'bob',
    user: BOB,
    authHash: null,
    authCheckedAt: NOW,
    remember: false,
    device: null,
    label: null,
  },
}

/** Returns the state of a request in which a record of Ann was written, or one with these changes. */
export function liveOf(changes: Partial<SessionRecord> = {}, more: Partial<LiveSession> = {}): LiveSession {
  const record = recordAt(NOW, { ...ownedBy('ann'), isForked: false, remember: false, ...changes })
  return { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined, ...more }
}

/** Returns the state of a request that came with this session and has staged nothing, or these parts. */
export function stateOf(loaded: Loaded, more: Partial<RequestState> = {}): RequestState {
  return { ...initialState(loaded, false), ...more }
}
