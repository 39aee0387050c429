import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { describe, expect, it } from 'vitest'

import { askPassword } from '../../src/cli/ask-password.ts'

/** A terminal without a person: what is typed, what is shown, and whether it echoes. */
function fakeTerminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => void modes.push(raw) })
  const output = new PassThrough()
  const shown: string[] = []
  output.on('data', (text: Buffer) => void shown.push(text.toString()))
  const controller = new AbortController()
  const terminal = {
    input: input as unknown as ReadStream,
    output: output as unknown as WriteStream,
    signal: controller.signal,
  }
  return { terminal, controller, modes, shown, type: (text: string) => void input.write(text) }
}

describe('askPassword', () => {
  it('returns the line that is typed, and shows the question only', async () => {
    const { terminal, modes, shown, type } = fakeTerminal()
    const answer = askPassword('password: ', terminal)
    type('open ses')
    type('ame\r')
    expect(await answer).toBe('open sesame')
    expect(shown.join('')).toBe('password: \n')
    expect(modes).toEqual([true, false])
  })

  it('takes back what was typed wrong', async () => {
    const { terminal, type } = fakeTerminal()
    const answer = askPassword('', terminal)
    type('ab\u007f\b\u007fxß\u007fy\n')
    expect(await answer).toBe('xy')
  })

  it('ends when it is interrupted, with the terminal as it was', async () => {
    const { terminal, controller, modes } = fakeTerminal()
    const answer = askPassword('', terminal)
    controller.abort()
    await expect(answer).rejects.toThrow('interrupted')
    expect(modes).toEqual([true, false])
  })
})
