import type { Request } from 'autocannon'
import type { Peer, PeerName, ScenarioName } from '../peers/peer.ts'
import type { Visitor } from '../visitor.ts'

/** The requests that visitors repeat. */
export interface Scenario {
  readonly name: ScenarioName
  /** The title that the table prints. */
  readonly title: string
  /** Peers that can do it; all when absent. */
  readonly peers?: readonly PeerName[]
  /** Tells whether the visitors log in before the clock starts. */
  readonly needsLogin: boolean
  /** Returns the requests of one iteration of one visitor, on the connection that this visitor has for itself. */
  requests(visitor: Visitor): Request[]
  /** Rejects unless a peer does what this scenario is about to time. */
  check(visitor: Visitor, peer: Peer): Promise<void>
}
