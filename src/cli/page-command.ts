import { InterruptedError } from '../errors.ts'
import { openPageFile } from '../file/page-file.ts'
import type { Report } from '../report/report.ts'
import { buildFailurePage, type FailedRun } from './page/build-failure-page.ts'
import { buildPage } from './page/build-page.ts'
import type { Page } from './page/page.ts'
import { renderHtml } from './page/render-html.ts'
import { renderMarkdown } from './page/render-markdown.ts'
import type { TimeContext } from './render/format-time.ts'
import { toolVersion } from './tool-version.ts'

/**
 * Runs `work` and writes its report to `file` as a page; if it fails, why, instead of the page of an earlier run. An
 * interruption leaves that one. Throws SyncError if the file cannot be written.
 */
export async function writePage(
  file: string,
  options: FailedRun['options'],
  work: () => Promise<Report>,
): Promise<Report> {
  const page = await openPageFile(file)
  const finish = (content: Page): Promise<void> =>
    page.finish(/\.md$/i.test(file) ? renderMarkdown(content) : renderHtml(content))
  try {
    const report = await runOrTell(work, (error) => finish(buildFailurePage({ options, error }, now(), toolVersion())))
    await finish(buildPage(report, now(), toolVersion()))
    return report
  } finally {
    await page.discard()
  }
}

/** What ended the run is the news, even if it cannot be written. */
async function runOrTell(work: () => Promise<Report>, tell: (error: unknown) => Promise<void>): Promise<Report> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InterruptedError)) await tell(error).catch(() => undefined)
    throw error
  }
}

function now(): TimeContext {
  return { now: Math.floor(Date.now() / 1000), timeZone: undefined }
}
