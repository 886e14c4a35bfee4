import type { MakeInvariant } from './invariant.ts'

/** No input makes a server throw, not even one that it survives. */
export const noFault: MakeInvariant = ({ providers }) => ({
  name: 'no-fault',
  sample(report) {
    for (const { number, faults } of providers)
      for (const fault of faults) report(`provider ${number}: ${fault}`)
  }
})
