/** Reads what `nft -j list …` prints, without help from the code that is being shown to work. */

interface Listing {
  readonly nftables: readonly {
    readonly rule?: { readonly expr: readonly { readonly counter?: { readonly packets: number } }[] }
    readonly counter?: { readonly name: string; readonly packets: number }
  }[]
}

/** Packets counted by all rules of the listing together. */
export function countersIn(listing: string): bigint {
  const { nftables } = JSON.parse(listing) as Listing
  const counts = nftables.flatMap(({ rule }) =>
    (rule?.expr ?? []).map(({ counter }) => BigInt(counter?.packets ?? 0))
  )
  return counts.reduce((sum, count) => sum + count, 0n)
}

/** Packets of a named counter; 0 when there is none of that name. */
export function namedCounterIn(listing: string, name: string): bigint {
  const { nftables } = JSON.parse(listing) as Listing
  return BigInt(nftables.find(({ counter }) => counter?.name === name)?.counter?.packets ?? 0)
}
