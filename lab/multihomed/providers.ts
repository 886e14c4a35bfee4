import type { ProviderPlan } from './topology.ts'

/** The two providers of most drawings, in address space for documentation. */
export const isp1: ProviderPlan = {
  name: 'isp1',
  prefix: '198.51.100.0/28',
  servers: { 'dots.isp1.example': '192.0.2.1' }
}

export const isp2: ProviderPlan = {
  name: 'isp2',
  prefix: '203.0.113.16/28',
  servers: { 'dots.isp2.example': '192.0.2.129' }
}

/** Of nobody in any drawing. */
export const foreignAddress = '192.0.2.77/32'
