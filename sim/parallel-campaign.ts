import { Worker } from 'node:worker_threads'
import type { CampaignReport } from './campaign.ts'
import type { Violation } from './run-world.ts'
import type { FamilyName } from './family.ts'
import type { FaultKind } from './scenario.ts'

type ThreadReport = Omit<CampaignReport, 'canaryCaught' | 'threads'>

/** What a thread is told to run. */
export interface Share {
  readonly family: FamilyName
  readonly seeds: readonly number[]
}

type Message =
  | { readonly kind: 'world'; readonly seed: number; readonly violation: Violation | undefined }
  | { readonly kind: 'report'; readonly report: ThreadReport }

/** Shares the worlds of these seeds between threads; a world is the same in whatever thread it runs. */
export async function parallelCampaign(
  family: FamilyName,
  seeds: readonly number[],
  threads: number,
  onWorld: (seed: number, violation: Violation | undefined) => void
): Promise<Omit<CampaignReport, 'canaryCaught'>> {
  const started = performance.now()
  const count = Math.max(1, Math.min(threads, seeds.length))
  const shares = Array.from({ length: count }, (_, share) =>
    seeds.filter((_seed, at) => at % count === share)
  )
  const reports = await Promise.all(shares.map((share) => runInThread(family, share, onWorld)))
  return { family, ...merged(reports, (performance.now() - started) / 1000), threads: count }
}

function runInThread(
  family: FamilyName,
  seeds: readonly number[],
  onWorld: (seed: number, violation: Violation | undefined) => void
): Promise<ThreadReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: { family, seeds } satisfies Share
    })
    worker.on('message', (message: Message) => {
      if (message.kind === 'world') onWorld(message.seed, message.violation)
      else resolve(message.report)
    })
    worker.on('error', reject)
  })
}

function merged(reports: readonly ThreadReport[], seconds: number): Omit<ThreadReport, 'family'> {
  const sum = (value: (report: ThreadReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0)
  const faults: Partial<Record<FaultKind, number>> = {}
  for (const report of reports)
    for (const [kind, count] of Object.entries(report.faults) as [FaultKind, number][])
      faults[kind] = (faults[kind] ?? 0) + count
  const [worlds, events] = [sum((report) => report.worlds), sum((report) => report.events)]
  return {
    worlds,
    virtualSeconds: sum((report) => report.virtualSeconds),
    events,
    eventsPerSecond: Math.round(events / seconds),
    eventsPerProcessorSecond: Math.round(
      events / sum((report) => report.events / Math.max(report.eventsPerProcessorSecond, 1))
    ),
    worldsPerMinute: Math.round((60 * worlds) / seconds),
    faults,
    slowestAgreementSeconds: Math.max(0, ...reports.map((report) => report.slowestAgreementSeconds)),
    violations: reports.flatMap((report) => report.violations).toSorted((a, b) => a.seed - b.seed)
  }
}
