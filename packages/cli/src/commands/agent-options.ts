/** Options of every command that talks to an agent. */
export interface AgentOptions {
  readonly json?: boolean
  readonly socket?: string
}
