import type { ReadStream, WriteStream } from 'node:tty'

/** A terminal for asking questions. */
export type Terminal = { readonly input: ReadStream; readonly output: WriteStream; readonly signal: AbortSignal }

const [ENTER, NEWLINE, END, BACKSPACE, DELETE, CTRL_C] = ['\r', '\n', '\u0004', '\b', '\u007f', '\u0003']

/** Asks a question and resolves with the typed line, without showing it. Rejects when interrupted. */
export async function askPassword(question: string, { input, output, signal }: Terminal): Promise<string> {
  output.write(question)
  input.setRawMode(true)
  input.setEncoding('utf8')
  try {
    return await readLine(input, signal)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

function readLine(input: ReadStream, signal: AbortSignal): Promise<string> {
  let line = ''
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      input.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => end(() => reject(new Error('interrupted')))
    const onData = (text: string | Buffer): void => {
      for (const character of String(text)) {
        if (character === ENTER || character === NEWLINE || character === END) return end(() => resolve(line))
        // In raw mode the terminal sends the key instead of the signal.
        if (character === CTRL_C) return void process.kill(process.pid, 'SIGINT')
        line = character === BACKSPACE || character === DELETE ? [...line].slice(0, -1).join('') : line + character
      }
    }
    signal.addEventListener('abort', onAbort)
    input.on('data', onData)
  })
}
