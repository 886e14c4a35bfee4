// A thread that runs some of the worlds of a campaign: see `parallel-campaign.ts`.
import { parentPort, workerData } from 'node:worker_threads'

import { campaign } from './campaign.ts'
import { withFamily } from './every-family.ts'
import type { Share } from './parallel-campaign.ts'
import { stopwatch } from './stopwatch.ts'

const { family: name, seeds } = workerData as Share
const report = await withFamily(name, (family) =>
  campaign(family, seeds, stopwatch, (seed, violation) =>
    parentPort?.postMessage({ kind: 'world', seed, violation })
  )
)
parentPort?.postMessage({ kind: 'report', report })
