/** What a session holds at present, for metrics and tests. All but `dropped` and `evicted`, which only grow, is zero when it is idle. */
export interface SessionLoad {
  /** Requests and observations of ours that are open. */
  readonly requests: number
  readonly pings: number
  /** Requests of the peer's that the application has not answered. */
  readonly unanswered: number
  /** Observations of the peer's. */
  readonly observers: number
  /** Confirmable messages that wait for an acknowledgement, or for their turn. */
  readonly confirmables: number
  /** Messages of the peer's that are remembered to tell copies. */
  readonly remembered: number
  /** Bodies that are kept for block-wise transfer. */
  readonly transfers: number
  /** Since the beginning: requests that found no room, and messages for which no Message ID was free. */
  readonly dropped: number
  /** Since the beginning: messages that were forgotten for want of room, so that a late copy would count as new. */
  readonly evicted: number
}
