import { WallTime } from '@breakwater/core'
import { expect, it } from 'vitest'
import { calendarDate } from '../src/domain/calendar-date.ts'

it('tells every day of four centuries as the calendar does', () => {
  for (let day = 0; day < 146_097; day++) {
    const moment = WallTime(day * 86_400_000 + 86_399_999)
    expect(calendarDate(moment)).toBe(new Date(moment).toISOString().slice(0, 10))
  }
})
