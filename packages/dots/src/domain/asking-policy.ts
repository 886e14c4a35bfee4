/**
 * Which of the servers that can protect the site's own prefixes are asked. `all`: every one at the same time, the MUST of
 * RFC 9284 §5.2. The others are deviations: what comes in through a provider that was not asked is not mitigated.
 * `serial`: those of one domain after another. `divide`: each prefix is one domain's.
 */
export type AskingPolicy = 'all' | 'serial' | 'divide'
