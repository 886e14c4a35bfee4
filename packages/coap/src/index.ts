export type * from './message.ts'
export type * from './session.ts'
