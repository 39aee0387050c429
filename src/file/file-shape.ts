/*
 * Recognises files that are not one event per line, by their first bytes or a broken line, and gives the command that
 * converts them.
 */

/** Another format, and the command that converts it to JSONL. */
type Cure = { readonly is: string; readonly command: (file: string) => string }

const PACKED: readonly (Cure & { readonly magic: readonly number[] })[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], is: 'compressed with zstd', command: (file) => `zstd -dc ${file}` },
  {
    magic: [0x1f, 0x8b],
    is: 'compressed with gzip, but its name does not end in .gz',
    command: (file) => `gzip -dc ${file}`,
  },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], is: 'compressed with xz', command: (file) => `xz -dc ${file}` },
  { magic: [0x42, 0x5a, 0x68], is: 'compressed with bzip2', command: (file) => `bzip2 -dc ${file}` },
  { magic: [0x04, 0x22, 0x4d, 0x18], is: 'compressed with lz4', command: (file) => `lz4 -dc ${file}` },
  { magic: [0x50, 0x4b, 0x03, 0x04], is: 'a ZIP archive', command: (file) => `unzip -p ${file}` },
  { magic: [0xff, 0xfe], is: 'UTF-16, not UTF-8', command: (file) => `iconv -f UTF-16 -t UTF-8 ${file}` },
  { magic: [0xfe, 0xff], is: 'UTF-16, not UTF-8', command: (file) => `iconv -f UTF-16 -t UTF-8 ${file}` },
]

const ARRAY: Cure = { is: 'a JSON array', command: (file) => `jq -c '.[]' ${file}` }
const SEVERAL: Cure = { is: 'not one event a line', command: (file) => `jq -c . ${file}` }

/**
 * Returns one sentence with the problem and the remedy for a file that begins with these bytes; `undefined` if it may
 * be JSONL.
 */
export function describePacked(path: string, first: Buffer): string | undefined {
  const packed = PACKED.find(({ magic }) => magic.every((byte, index) => first[index] === byte))
  return packed === undefined ? undefined : `it is ${packed.is}: ${pipe(path, packed)}`
}

/** Returns one sentence with the problem and the remedy for a file with this broken line. */
export function adviseByLine(path: string, bytes: Buffer): string | undefined {
  const text = bytes.subarray(0, 16).toString('latin1').trim()
  const cure = text === '[' || /^\[\s*\{/.test(text) ? ARRAY : holdsSeveral(bytes, text) ? SEVERAL : undefined
  const name = path === '-' ? 'standard input' : path
  return cure === undefined ? undefined : `${name} is ${cure.is}: ${pipe(path, cure)}`
}

/** Several objects on one line, or one object over several lines. */
function holdsSeveral(bytes: Buffer, text: string): boolean {
  if (text === '{') return true
  return (
    text.startsWith('{') &&
    (bytes.includes('}{') || bytes.includes('} {')) &&
    bytes.toString('latin1').trim().endsWith('}')
  )
}

function pipe(path: string, { command }: Cure): string {
  const read = path === '-' ? command('').trim() : command(quoted(path))
  const packed = path.endsWith('.gz') ? `gzip -dc ${quoted(path)} | ${command('').trim()}` : read
  return `\`${packed} | ngit-sync … --source -\` reads it`
}

/** Quotes a path for the shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
