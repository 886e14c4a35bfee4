import type { LearntConfiguration } from './learnt-configuration.ts'

/** Who hears what a source learns. */
export interface ProvisioningListener {
  /** All that the source says under `key` from now on. Lifetimes run from this call on. */
  learnt(key: string, configuration: LearntConfiguration): void
  /** The source says nothing under `key` any more. */
  withdrawn(key: string): void
  /** What stands at `place` is of no use, for people: a file that is none of ours, a system that does not tell. */
  refused(place: string, reason: string): void
}

/** Port: somebody who knows what the providers of a site gave it. */
export interface ProvisioningSource {
  /** For people and keys: `drop`, `lease /var/lib/dhcp/dhclient.leases`. No two of a host are called alike. */
  readonly name: string
  /** Tells what is known, then every change. What is said again is told again only where lifetimes begin anew. */
  watch(listener: ProvisioningListener): ProvisioningWatch
}

/** What watches a source, until it is closed. */
export interface ProvisioningWatch {
  /** Resolves when what was known at the start has been told. Never rejects. */
  readonly ready: Promise<void>
  /** Nothing is told after this. */
  close(): Promise<void>
}
