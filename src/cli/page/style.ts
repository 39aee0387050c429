import type { Tone } from './page.ts'
import { PALETTES, type Palette } from './palette.ts'

function variables({ ground, panel, text, muted, line, accent }: Palette, tone: Tone): string {
  return `--ground:${ground};--panel:${panel};--text:${text};--muted:${muted};--line:${line};--accent:${accent[tone]}`
}

/** The style of a page. Nothing is wider than the page: tables and commands scroll inside their own boxes. */
export function styleFor(tone: Tone): string {
  return `
:root{color-scheme:light dark;${variables(PALETTES.light, tone)}}
@media (prefers-color-scheme:dark){:root{${variables(PALETTES.dark, tone)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.6 system-ui,-apple-system,"Segoe UI",sans-serif;
 overflow-wrap:anywhere;-webkit-text-size-adjust:100%}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1rem;font-weight:600;color:var(--muted);margin:0 0 .75rem}
h2{font-size:1.15rem;font-weight:650;margin:3rem 0 .75rem}
h3{font-size:1rem;font-weight:650;margin:0}
p{margin:.5rem 0}
.muted,footer{color:var(--muted)}
.verdict{border-left:4px solid var(--accent);padding:.15rem 0 .15rem 1.1rem}
.verdict strong{display:block;font-size:1.9rem;line-height:1.25;font-weight:700;color:var(--accent)}
.verdict p{margin:.4rem 0 0;font-size:1.1rem}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.35rem 1.5rem;margin:1.75rem 0 0}
dt{color:var(--muted)}
dd{margin:0;font-variant-numeric:tabular-nums}
.chart{margin:1rem 0 0}
.chart svg{display:block;width:100%;height:9rem;border-bottom:1px solid var(--line)}
.bar{fill:var(--accent)}
.outlier{fill-opacity:.45}
.axis{display:flex;justify-content:space-between;gap:1rem;font-size:.85rem;color:var(--muted);
 font-variant-numeric:tabular-nums;padding-top:.35rem}
.scroll{overflow-x:auto;max-width:100%;border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%;font-size:.94rem;overflow-wrap:normal}
.scroll+h3{margin-top:1.75rem}
th,td{padding:.55rem .9rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child>td{border-bottom:0}
th{font-weight:600;color:var(--muted);white-space:nowrap}
td.name{min-width:13rem;overflow-wrap:anywhere}
td.name small{display:block;color:var(--muted);font-size:.82rem}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.end{min-width:11rem;overflow-wrap:anywhere}
.zero{color:var(--muted)}
.card{background:var(--panel);border-radius:.5rem;padding:1rem 1.15rem;margin:.75rem 0}
.card ul{margin:.4rem 0;padding-left:1.2rem}
.step{margin:.5rem 0 0;font-weight:600}
.step::before{content:"→ ";color:var(--accent)}
pre{margin:.35rem 0 1rem;padding:.75rem 1rem;background:var(--panel);border-radius:.5rem;overflow-x:auto;max-width:100%;
 font:.88rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{margin-top:3.5rem;font-size:.85rem;border-top:1px solid var(--line);padding-top:1rem}
@media (max-width:34rem){dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.7rem}
 main{padding-top:1.5rem}}
@media print{main{max-width:none;padding:0}.scroll{overflow:visible;border:0}pre{white-space:pre-wrap}
 h2{break-after:avoid}tr,.card,.chart{break-inside:avoid}a{color:inherit}}
`
}
