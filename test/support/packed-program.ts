import { join } from 'node:path'

import { inject } from 'vitest'

/** The packed program, as it is installed (`pack-program.ts`). */
export function packedProgram(): string {
  return join(inject('packed'), 'bin/ngit-sync.js')
}
