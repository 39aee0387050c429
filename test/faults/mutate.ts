type Random = () => number
type Mutation = (text: string, random: Random) => string | Buffer

/** What a hostile or broken relay might put into the place of any value. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  2 ** 53,
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'x'.repeat(70_000),
  [],
  {},
  [[[]]],
  { id: 'x' },
  ['EVENT', 'r1', {}],
]
const LABELS = ['EVENT', 'EOSE', 'OK', 'CLOSED', 'NOTICE', 'AUTH', 'NEG-MSG', 'NEG-ERR', 'COUNT', 'event', '']

/** Ways to spoil a frame: its bytes, its text, or the values in it. */
const MUTATIONS: readonly Mutation[] = [
  (text, random) => flipBits(Buffer.from(text), random),
  (text, random) =>
    Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), flipBits(Buffer.from(text), random)]),
  (text, random) => text.slice(0, Math.floor(random() * text.length)),
  (text, random) => text.slice(Math.floor(random() * text.length)),
  (text) => text + text,
  (text) => ' '.repeat(1_000) + text,
  (text, random) => insert(text, '['.repeat(1 + Math.floor(random() * 50_000)), random),
  (text, random) => insert(text, pick(['\\u0000', '\\ud800', '"', '\\', '\u202e', '\u001b[2J'], random), random),
  (text, random) => JSON.stringify(change(JSON.parse(text), random)),
  (text, random) => JSON.stringify(change(change(JSON.parse(text), random), random)),
  (text, random) => JSON.stringify([pick(LABELS, random), ...(JSON.parse(text) as unknown[]).slice(1)]),
  (text, random) => JSON.stringify((JSON.parse(text) as unknown[]).slice(0, Math.floor(random() * 4))),
  (text) => JSON.stringify([...(JSON.parse(text) as unknown[]).reverse()]),
  () => '{"constructor":{"prototype":{}}}',
]

/** A spoilt copy of a frame: text, or bytes that are no text. */
export function mutateFrame(frame: readonly unknown[], random: Random): string | Buffer {
  return pick(MUTATIONS, random)(JSON.stringify(frame), random)
}

/** A spoilt copy of a JSON document. */
export function mutateDocument(document: unknown, random: Random): string {
  return String(mutateFrame([document], random)).slice(0, -1)
}

function change(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random() < 0.8) {
    const at = Math.floor(random() * value.length)
    return value.map((each: unknown, index) => (index === at ? change(each, random) : each))
  }
  if (typeof value === 'object' && value !== null && random() < 0.8) {
    const key = pick(Object.keys(value), random)
    return { ...value, [key]: change((value as Record<string, unknown>)[key], random) }
  }
  return pick(ODD_VALUES, random)
}

function flipBits(bytes: Buffer, random: Random): Buffer {
  for (let left = 1 + Math.floor(random() * 4); left > 0; left -= 1) {
    const at = Math.floor(random() * bytes.length)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
  }
  return bytes
}

function insert(text: string, part: string, random: Random): string {
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + part + text.slice(at)
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T
}
