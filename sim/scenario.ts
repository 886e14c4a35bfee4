import type { Transport } from '@breakwater/core'
import type { ServerPolicy } from '@breakwater/dots'

/**
 * A course is what happens in a world, as plain data: what the operators do, what goes wrong and when, and how all the
 * agents are set. Each family of worlds adds who is connected how to it.
 */
export interface Course {
  readonly seed: number
  /** What each provider's server does when a client's signal is lost. */
  readonly onSignalLoss: readonly ServerPolicy['onSignalLoss'][]
  /** Heartbeats of both sides: RFC 9132's defaults, or the quickest that its ranges allow. */
  readonly heartbeats: 'default' | 'quick'
  /** What clients ask of their sessions: another set for each activity, the server's own values, or nothing (RFC 9132 §4.5). */
  readonly negotiates: 'nothing' | 'by-activity' | 'defaults'
  /** Whether clients keep a second session with each server, by a path that is apart. */
  readonly standsBy: boolean
  /** Whether clients keep a notebook over restarts. */
  readonly clientsRemember: boolean
  /** One way over one link, in milliseconds. */
  readonly latencyMilliseconds: number
  /** How long things go wrong, in seconds; then all is well again. */
  readonly stormSeconds: number
  readonly actions: readonly Action[]
  readonly faults: readonly Fault[]
}

/**
 * A scenario is what one seed comes to, as plain data: sites that are connected to providers, and what happens. It can be
 * printed, replayed and made smaller; running it is `world/`.
 */
export interface Scenario extends Course {
  readonly sites: readonly SitePlan[]
  /** Providers are numbered from 0, and so are their servers. */
  readonly providers: number
  /** Those that have a second server, to send clients to (RFC 9132 §4.6); the second servers are numbered on from the first. */
  readonly alternates: readonly number[]
}

/** A customer network and its attachments. */
export interface SitePlan {
  readonly number: number
  /** The providers it is attached to, in the order of its interfaces. */
  readonly attachments: readonly number[]
  /** Providers that announce its own prefix: all attachments or some. */
  readonly announcedThrough: readonly number[]
  /** What its sessions may go over: UDP, and TCP where UDP does not get through (RFC 9132 §4.3). */
  readonly transports: readonly Transport[]
  /** Requests that stand by for the loss of the signal (RFC 9132 §4.4.1.1). */
  readonly standing: readonly StandingPlan[]
}

/** A preconfigured request of a site at one of its providers. */
export interface StandingPlan {
  readonly provider: number
  readonly prefix: string
  readonly lifetimeSeconds: number
}

/** What an operator does. */
export type Action =
  | {
      readonly kind: 'protect'
      readonly at: number
      readonly site: number
      readonly protection: string
      readonly prefixes: readonly string[]
      /** `target-fqdn`: resolved by the client. */
      readonly names?: readonly string[]
      readonly ports: readonly (readonly [lower: number, upper: number])[]
      readonly protocols: readonly number[]
      readonly lifetimeSeconds: number | 'indefinite'
      readonly allowPartial: boolean
    }
  | { readonly kind: 'release'; readonly at: number; readonly site: number; readonly protection: string }

/** What can go wrong on the link between a site and a provider. */
export const LINK_FAULTS = [
  'loss',
  'asymmetric-loss',
  'duplicate',
  'reorder',
  'latency',
  'black-hole',
  'inbound-saturation',
  'link-cut',
  'family-lost',
  'udp-blocked',
  'long-datagrams-vanish',
  'nat-rebinding'
] as const

/** What can go wrong at a provider. */
export const PROVIDER_FAULTS = [
  'partition',
  'server-crash',
  'server-upgrade',
  'server-pause',
  'certificate-expiry',
  'store-slow',
  'store-failing',
  'store-damage',
  'mitigator-slow',
  'mitigator-failing',
  'mitigator-hanging',
  'mitigator-forgets',
  'server-clock-step',
  'redirect'
] as const

/** What can go wrong at a site. */
export const SITE_FAULTS = [
  'client-crash',
  'client-upgrade',
  'client-pause',
  'client-clock-step',
  'notebook-slow',
  'notebook-failing',
  'notebook-damage'
] as const

/** What can become of a multihomed network itself, at one of its providers, and then be undone. */
export const NETWORK_CHANGES = [
  'renumbering',
  'provider-vanishes',
  'prefix-moves',
  'address-vanishes'
] as const

export type NetworkChangeKind = (typeof NETWORK_CHANGES)[number]
export type LinkFaultKind = (typeof LINK_FAULTS)[number]
export type ProviderFaultKind = (typeof PROVIDER_FAULTS)[number]
export type SiteFaultKind = (typeof SITE_FAULTS)[number]
/** What goes wrong with things that stay where they are. */
export type TroubleKind = LinkFaultKind | ProviderFaultKind | SiteFaultKind
export type FaultKind = TroubleKind | NetworkChangeKind

/** The provider that a server belongs to. */
export function homeOf({ providers, alternates }: Scenario, server: number): number {
  return server < providers ? server : (alternates[server - providers] ?? server)
}

/** The number of a provider's second server, if it has one. */
export function alternateOf({ providers, alternates }: Scenario, provider: number): number | undefined {
  const at = alternates.indexOf(provider)
  return at < 0 ? undefined : providers + at
}

export function isLinkFault(kind: FaultKind): kind is LinkFaultKind {
  return LINK_FAULTS.some((each) => each === kind)
}

export function isOfNetwork(fault: Fault): fault is NetworkFault {
  return 'domain' in fault
}

export function isSiteFault(kind: FaultKind): kind is SiteFaultKind {
  return SITE_FAULTS.some((each) => each === kind)
}

interface FaultBase {
  /** Seconds from the start. */
  readonly at: number
  /** Seconds until it is over; of no meaning for what happens at once. */
  readonly lasts: number
  /** 0 … 1: how bad. */
  readonly strength: number
}

export interface LinkFault extends FaultBase {
  readonly kind: LinkFaultKind
  readonly site: number
  readonly provider: number
}

export interface ProviderFault extends FaultBase {
  readonly kind: ProviderFaultKind
  readonly provider: number
}

export interface SiteFault extends FaultBase {
  readonly kind: SiteFaultKind
  readonly site: number
}

/** The operator, or who configures the site for it, tells the client of it at once. */
export interface NetworkFault extends FaultBase {
  readonly kind: NetworkChangeKind
  readonly domain: number
}

export type Fault = LinkFault | ProviderFault | SiteFault | NetworkFault
