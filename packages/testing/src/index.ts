export * from './virtual-clock.ts'
export * from './seeded-entropy.ts'
