// A door for who starts at every event of a DHCP client: the hook, without DNS, TLS and the rest.
export { HOOK_CLIENTS, hookOutcome } from './provisioning/hook/hook-event.ts'
export type { HookClient } from './provisioning/hook/hook-event.ts'
export { applyToDropDirectory } from './provisioning/hook/drop-writer.ts'
export type { DropChange } from './provisioning/hook/drop-writer.ts'
