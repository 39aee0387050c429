import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from '../../src/file/line-splitter.ts'

function split(chunks: readonly string[], maxBytes = 100) {
  const lines: [number, string | undefined][] = []
  const splitter = new LineSplitter(maxBytes, (bytes, lineNumber) => lines.push([lineNumber, bytes?.toString()]))
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.end()
  return { lines, endsInNewline: splitter.endsInNewline }
}

describe('LineSplitter', () => {
  it('numbers lines from 1 and keeps blank ones', () => {
    expect(split(['a\n\nb\n']).lines).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ])
  })

  it('hands out the last line when no line end follows it', () => {
    expect(split(['a\nb'])).toEqual({
      lines: [
        [1, 'a'],
        [2, 'b'],
      ],
      endsInNewline: false,
    })
  })

  it('sees an empty stream as one that ends where a line ends', () => {
    expect(split([])).toEqual({ lines: [], endsInNewline: true })
  })

  it('reports a line over the bound without its bytes and goes on after it', () => {
    expect(split(['short\n', '123456', '789', '0ab\n', 'next\n'], 10).lines).toEqual([
      [1, 'short'],
      [2, undefined],
      [3, 'next'],
    ])
  })

  it('keeps a line of exactly the bound', () => {
    expect(split(['12345', '67890\n'], 10).lines).toEqual([[1, '1234567890']])
  })

  it('finds the same lines however the bytes are cut', () => {
    const chunks = fc.array(fc.stringMatching(/^[ab\n]{0,6}$/))
    fc.assert(
      fc.property(chunks, (parts) => {
        expect(split(parts)).toEqual(split([parts.join('')]))
      }),
    )
  })
})
