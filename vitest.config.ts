import { defineConfig } from 'vitest/config'

/** Conformance that is a matter of records and sockets. */
const realDtls = ['conformance/rfc9132/section-7.test.ts', 'conformance/rfc7252/section-9.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          // Random tests do the same work whatever else the machine does: only how long it takes differs.
          testTimeout: 60_000,
          include: [
            'packages/{core,coap,model,dots,testing}/test/**/*.test.ts',
            '{conformance,sim}/**/*.test.ts'
          ],
          exclude: realDtls
        }
      },
      {
        // Real sockets, disks, kernels: one file at a time, so that they do not starve each other of time.
        test: {
          name: 'host',
          include: [
            'packages/{dtls,runtime,store,mitigators,control,agents,cli}/test/**/*.test.ts',
            '{lab,interop,e2e,crash,hostile,tools,fuzz,bench}/**/*.test.ts',
            ...realDtls
          ],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      }
    ]
  }
})
