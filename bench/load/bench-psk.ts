/** The pre-shared key of both sides of the benchmarks over DTLS: all processes of one machine that a benchmark starts. */
export const BENCH_PSK: { readonly identity: string; readonly secret: string } = {
  identity: 'bench',
  secret: '0123456789abcdef'
}
