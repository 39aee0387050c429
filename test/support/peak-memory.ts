import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { LiveCli } from './run-cli.ts'

/** The most memory in MiB that the program ever had, by the kernel's own count; 0 where there is no /proc. */
export async function watchPeak(cli: LiveCli): Promise<number> {
  let peakMib = 0
  let isOver = false
  void cli.finished.finally(() => (isOver = true)).catch(() => undefined)
  while (!isOver) {
    peakMib = Math.max(peakMib, readPeak(cli.pid))
    await sleep(50)
  }
  return peakMib
}

function readPeak(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kib ?? 0) / 1_024
  } catch {
    return 0 // gone between two looks, or no Linux
  }
}
