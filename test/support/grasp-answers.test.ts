import { describe, expect, it } from 'vitest'

import { GRASP_ENVIRONMENTS, graspAnswers, playScenario, type GraspGroup } from './grasp-answers.ts'
import { connectTiny } from './tiny-client.ts'
import { createWorkbench } from './workbench.ts'

describe('a scripted ngit-grasp 3.0.10 answers as the real one does to', () => {
  it.each(graspAnswers('').map(({ name }, index) => [name, index] as const))('%s', async (_name, index) => {
    const relay = await createWorkbench().grasp({ personality: '3.0.10' })
    const scenario = graspAnswers(new URL(relay.url).host)[index]
    if (scenario === undefined) throw new Error('no such scenario')
    const client = await connectTiny(relay.url)
    const [accepted, text] = await playScenario(scenario, client.publish)
    client.close()
    expect([accepted, text]).toEqual([scenario.expect.ok, expect.stringMatching(scenario.expect.text)])
  })
})

describe('graspAnswers', () => {
  it.each(Object.entries(GRASP_ENVIRONMENTS))('has scenarios for a relay that is: %s', (group) => {
    expect(graspAnswers('127.0.0.1:1', group as GraspGroup).length).toBeGreaterThan(0)
  })
})
