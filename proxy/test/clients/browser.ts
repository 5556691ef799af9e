// A real browser without a window, which has no network but this machine's.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { launch, type Page } from 'puppeteer-core';
import { getProgram, isRoot } from '../peers/program.ts';

/** A page, and what its browser tells of it. */
export interface Visit {
  readonly page: Page;
  /** URLs of all that was asked for. */
  readonly requests: string[];
  /** What the page's policy refused, what scripts threw and what the console calls errors. */
  readonly problems: string[];
}

/** Opens a page in a browser of its own, which ends with the test. */
export async function visit(t: ExecutionContext, url: string): Promise<Visit> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-browser-'));
  const browser = await launch({
    executablePath: getProgram('chromium'),
    userDataDir: folder,
    args: [
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      // Root has to do without: https://chromium.googlesource.com/chromium/src/+/main/docs/linux/sandboxing.md
      ...(isRoot() ? ['--no-sandbox'] : []),
    ],
  });
  t.teardown(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });
  const page = await browser.newPage();
  const requests: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.exposeFunction('noteRefusal', (what: string) => problems.push(what));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const note: unknown = Reflect.get(globalThis, 'noteRefusal');
      if (typeof note === 'function') note(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return { page, requests, problems };
}
