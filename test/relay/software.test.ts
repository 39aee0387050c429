import { describe, expect, it } from 'vitest'

import { isEarlyGrasp, isTodaysGrasp } from '../../src/relay/software.ts'

const GRASP = 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp'

describe('what a relay is, by its NIP-11 document', () => {
  it.each([
    [{ software: GRASP, version: '3.0.10' }, 'today'],
    [{ software: GRASP, version: '3.0.10-4f2a1c9' }, 'today'],
    [{ software: GRASP, version: '10.0.0' }, 'today'],
    [{ software: GRASP }, 'today'],
    [{ software: GRASP, version: '1.0.2' }, 'early'],
    [{ software: 'https://gitworkshop.dev/ngit-relay', version: '0.9.0' }, 'early'],
    [{ software: 'git+https://github.com/hoytech/strfry.git', version: '1.0.4' }, 'neither'],
    [{}, 'neither'],
  ])('%j is ngit-grasp of %s', (profile, expected) => {
    const found = isTodaysGrasp(profile) ? 'today' : isEarlyGrasp(profile) ? 'early' : 'neither'
    expect(found).toBe(expected)
  })
})
