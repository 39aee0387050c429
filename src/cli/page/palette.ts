import type { Tone } from './page.ts'

/** The colours of one scheme, as `#rrggbb`. Text on `ground` and on `panel` has a contrast of 4.5 or more (WCAG AA). */
export type Palette = {
  readonly ground: string
  readonly panel: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly accent: Readonly<Record<Tone, string>>
}

/** One accent colour a page: that of its verdict. */
export const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    ground: '#ffffff',
    panel: '#f5f6f7',
    text: '#1d2125',
    muted: '#59626b',
    line: '#dfe3e7',
    accent: { good: '#1a6b45', warn: '#8a5200', bad: '#b3261e' },
  },
  dark: {
    ground: '#15181b',
    panel: '#1e2226',
    text: '#e4e7ea',
    muted: '#a0a9b2',
    line: '#343a41',
    accent: { good: '#7dcfa2', warn: '#eab765', bad: '#ff948b' },
  },
}
