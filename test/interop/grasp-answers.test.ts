import { describe, expect, it } from 'vitest'

import { GRASP_ENVIRONMENTS, graspAnswers, playScenario, type GraspGroup } from '../support/grasp-answers.ts'
import { connectTiny } from '../support/tiny-client.ts'
import { startGrasp } from './support/grasp.ts'
import { wantedRelays } from './support/installation.ts'

const GROUPS = Object.keys(GRASP_ENVIRONMENTS) as GraspGroup[]

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('the answers of ngit-grasp 3.0.10', () => {
  it.each(GROUPS)('are those that the scripted relay has learnt: %s', async (group) => {
    const { url } = await startGrasp(GRASP_ENVIRONMENTS[group])
    const wrong: unknown[] = []
    for (const scenario of graspAnswers(new URL(url).host, group)) {
      const client = await connectTiny(url)
      const [ok, text] = await playScenario(scenario, client.publish)
      client.close()
      const isAsExpected = ok === scenario.expect.ok && scenario.expect.text.test(String(text))
      if (!isAsExpected) wrong.push([scenario.name, ok, text])
    }
    expect(wrong).toEqual([])
  })
})
