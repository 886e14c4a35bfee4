export * from './clock.ts'
export * from './csprng.ts'
