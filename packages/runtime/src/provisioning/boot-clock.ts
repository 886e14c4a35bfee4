import { readFileSync } from 'node:fs'
import { Milliseconds, Seconds, between } from '@breakwater/core'
import type { Duration, WallTime } from '@breakwater/core'
import type { BootTime } from './drop-format.ts'

/** Which boot this is, and how long ago it was; undefined where the system does not tell. */
export function bootTime(): BootTime | undefined {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const uptimeSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    return id !== '' && Number.isFinite(uptimeSeconds) ? { id, uptimeSeconds } : undefined
  } catch {
    return undefined
  }
}

/**
 * How long ago something was written. The clock of the boot knows, whatever the calendar did meanwhile: a host without a
 * battery learns the year long after its addresses. Never less than nothing: what comes from the future is new.
 */
export function ageOf(
  written: { readonly at: WallTime; readonly boot?: BootTime },
  now: { readonly wallClock: WallTime; readonly boot: BootTime | undefined }
): Duration {
  const age =
    written.boot !== undefined && written.boot.id === now.boot?.id
      ? Seconds(now.boot.uptimeSeconds - written.boot.uptimeSeconds)
      : between(written.at, now.wallClock)
  return Milliseconds(Math.max(0, age))
}
