import { openPageFile } from '../file/page-file.ts'
import type { Report } from '../report/report.ts'
import { buildPage } from './page/build-page.ts'
import { renderHtml } from './page/render-html.ts'
import { renderMarkdown } from './page/render-markdown.ts'
import { toolVersion } from './tool-version.ts'

/** Runs `work` and writes its report to `file` as a page. Throws SyncError if the file cannot be written. */
export async function writePage(file: string, work: () => Promise<Report>): Promise<Report> {
  const page = await openPageFile(file)
  try {
    const report = await work()
    const content = buildPage(report, { now: Math.floor(Date.now() / 1000), timeZone: undefined }, toolVersion())
    await page.finish(/\.md$/i.test(file) ? renderMarkdown(content) : renderHtml(content))
    return report
  } finally {
    await page.discard()
  }
}
