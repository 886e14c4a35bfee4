// A thread that runs some of the worlds of a campaign: see `parallel-campaign.ts`.
import { parentPort, workerData } from 'node:worker_threads'

import { campaign } from './campaign.ts'
import { stopwatch } from './stopwatch.ts'

const seeds = workerData as readonly number[]
const report = await campaign(seeds, stopwatch, (seed, violation) =>
  parentPort?.postMessage({ kind: 'world', seed, violation })
)
parentPort?.postMessage({ kind: 'report', report })
