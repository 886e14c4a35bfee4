import type { WallTime } from '@breakwater/core'

const MILLISECONDS_A_DAY = 86_400_000

/** The day in UTC, `2026-11-28`: for people, of moments after 1970. */
export function calendarDate(moment: WallTime): string {
  let days = Math.floor(moment / MILLISECONDS_A_DAY)
  let year = 1970
  for (; days >= daysOfYear(year); year++) days -= daysOfYear(year)
  let month = 1
  for (; days >= daysOfMonth(year, month); month++) days -= daysOfMonth(year, month)
  return [String(year), twoDigits(month), twoDigits(days + 1)].join('-')
}

function daysOfYear(year: number): number {
  return isLeap(year) ? 366 : 365
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
