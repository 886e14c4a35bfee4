import { silentLog } from '@breakwater/core'
import { mitigatorContract } from '@breakwater/testing'
import { describe } from 'vitest'

import { dryRunMitigator, openNftablesMitigator } from '../src/index.ts'
import { createNamespace, obstacle } from './network-namespace.ts'

mitigatorContract(
  'dry-run',
  () =>
    Promise.resolve({
      open: () => Promise.resolve(dryRunMitigator(silentLog)),
      persistent: false,
      counts: false,
      close: () => Promise.resolve()
    }),
  ['persistence', 'counters']
)

describe.skipIf(obstacle !== undefined)('on the kernel', () => {
  mitigatorContract('nftables', () => {
    const host = createNamespace()
    return Promise.resolve({
      open: () => openNftablesMitigator({ hook: 'input', command: [...host.prefix, 'nft'] }),
      persistent: true,
      counts: true,
      close: () => {
        host.delete()
        return Promise.resolve()
      }
    })
  })
})
