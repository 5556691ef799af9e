// The page of the admin port in a real browser, over a real server with a store that was filled through it.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'puppeteer-core';
import type { ImageUses } from '../../src/admin/images.ts';
import { formatBytes } from '../../src/admin/page/format-bytes.ts';
import type { Stats } from '../../src/admin/stats.ts';
import { makeFiles, makeLayer } from '../dedup/layers.ts';
import { get } from '../http/client.ts';
import { CACHE_FOLDER, findProgram } from '../peers/program.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import type { Image } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';
import { visit } from './browser.ts';

const testWithBrowser = findProgram('chromium') === undefined ? test.skip : test;

/** Where the picture of the page goes; docs/page.png is one of these. */
const SCREENSHOT = process.env['MICA_TEST_SCREENSHOT'] ?? join(CACHE_FOLDER, 'page.png');

/** Layers that share most files, as the versions of an image do; the last is too small to take apart. */
const BASE = makeFiles(400, 1, 60_000);
const IMAGES = [
  { repository: 'library/debian', tag: '12', layers: [makeLayer(BASE)] },
  {
    repository: 'library/python',
    tag: '3.12',
    layers: [makeLayer(BASE), makeLayer(makeFiles(60, 500, 60_000))],
  },
  {
    repository: 'library/debian',
    tag: '12.5',
    layers: [makeLayer([...BASE.slice(0, 380), ...makeFiles(20, 900)])],
  },
  {
    repository: 'library/debian',
    tag: '12.6',
    layers: [makeLayer([...BASE.slice(0, 370), ...makeFiles(30, 1400)])],
  },
  { repository: 'team/app', tag: 'v1', layers: [makeLayer(makeFiles(1, 7, 200))] },
] as const;

/** The manifest that is pulled most. */
const HOTTEST = '/v2/library/debian/manifests/12';

interface Site {
  readonly upstream: Registry;
  start(): Promise<MicaUnderTest>;
}

async function makeSite(t: ExecutionContext): Promise<Site> {
  const data = await mkdtemp(join(tmpdir(), 'mica-page-'));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const upstream = await startRegistry({ rateLimit: { limit: 100, remaining: 76 } });
  t.teardown(() => upstream.close());
  const start = async () => {
    // Nothing listens on port 1.
    const away = { url: 'http://127.0.0.1:1' };
    const upstreams = { 'docker.io': { url: upstream.url }, 'away.test': away };
    const config = { dedup: { mode: 'b', replicas: 0 } };
    const mica = await startMica({ upstreams, data, config });
    t.teardown(() => mica.kill());
    return mica;
  };
  return { upstream, start };
}

async function pull(mica: MicaUnderTest, repository: string, tag: string, image: Image) {
  await get(`${mica.url}/v2/${repository}/manifests/${tag}`);
  for (const { digest } of [image.config, ...image.layers])
    await get(`${mica.url}/v2/${repository}/blobs/${digest}`);
}

async function readStats(mica: MicaUnderTest): Promise<Stats> {
  return (await (await fetch(`${mica.admin}/stats`)).json()) as Stats;
}

async function untilIngested(mica: MicaUnderTest, layers: number): Promise<void> {
  for (;;) {
    const stats = await readStats(mica);
    if (stats.layers.total >= layers && stats.layers.pending === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Pulls one image after the other, with a restart after each, and all again from the last server. */
async function fillStore({ upstream, start }: Site): Promise<MicaUnderTest> {
  const images = IMAGES.map(({ repository, tag, layers }) => {
    const image = upstream.putImage({ repository, tag, seed: `${repository}:${tag}`, layers });
    return { repository, tag, image };
  });
  const digests = new Set<string>();
  let mica = await start();
  for (const { repository, tag, image } of images) {
    for (const { digest } of image.layers) digests.add(digest);
    await pull(mica, repository, tag, image);
    await untilIngested(mica, digests.size);
    await mica.stop();
    mica = await start();
  }
  for (const { repository, tag, image } of images) await pull(mica, repository, tag, image);
  for (let times = 0; times < 3; times += 1) await get(`${mica.url}${HOTTEST}`);
  return mica;
}

/** Begins to pull one more image, whose layer's fill stands still in its middle. */
async function holdFill({ upstream }: Site, mica: MicaUnderTest): Promise<() => Promise<unknown>> {
  const name = { repository: 'team/model', tag: 'v1' };
  const image = upstream.putImage({ ...name, seed: 'model', layers: [3_200_000] });
  const digest = image.layers[0]?.digest ?? '';
  const gate = makeGate();
  const fault = { kind: 'hold', after: 2_000_000, until: gate.opened } as const;
  upstream.faults.add({ path: digest, method: 'GET', fault });
  const pulled = pull(mica, name.repository, name.tag, image);
  await upstream.waitForRequests(digest);
  return () => {
    gate.open();
    return pulled;
  };
}

function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? '');
}

/** Waits until an element has a text; the page asks its server every two seconds. */
async function untilText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted, part) => document.querySelector(wanted)?.textContent?.includes(part),
    { timeout: 30_000 },
    selector,
    text,
  );
}

/** The least contrast of texts with what is behind them: https://www.w3.org/TR/WCAG22/#contrast-minimum */
function leastContrast(page: Page): Promise<number> {
  return page.evaluate(() => {
    const parse = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const light = (color: string) => {
      const [red = 0, green = 0, blue = 0] = parse(color).map((part) => {
        const share = part / 255;
        return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element: Element | null): string => {
      if (element === null) return 'rgb(255, 255, 255)';
      const { backgroundColor } = getComputedStyle(element);
      return parse(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
    };
    const contrasts = [...document.querySelectorAll('h1, h2, p, th, td, dt, dd, a, li, span')]
      .filter((element) => element.textContent?.trim() !== '')
      .map((element) => {
        const lights = [light(getComputedStyle(element).color), light(behind(element))];
        return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
      });
    return Math.min(...contrasts);
  });
}

testWithBrowser('the page shows in a real browser what the server says', async (t) => {
  const site = await makeSite(t);
  const mica = await fillStore(site);
  const release = await holdFill(site, mica);
  for (let tries = 0; tries < 8; tries += 1) await get(`${mica.url}/v2/away.test/x/tags/list`);
  const { page, requests, problems } = await visit(t, mica.admin);
  await page.setViewport({ width: 1000, height: 800 });
  await untilText(page, '#state', 'Up to date');
  await untilText(page, '#progress', '62.5% of 3.05 MiB');
  await untilText(page, '#hottest tbody tr', 'docker.io/library/debian:12');

  const stats = await readStats(mica);
  const { bytes, layers } = stats;
  t.true((await textOf(page, '#stored')).startsWith(formatBytes(bytes.stored)));
  t.true((await textOf(page, '#savings-text')).includes(`${formatBytes(bytes.tar)} of tars`));
  t.regex(await textOf(page, '#layers'), new RegExp(`only as a recipe${layers.recipeOnly}`));
  t.regex(await textOf(page, '#hottest tbody tr'), /^docker\.io\/library\/debian:124\.0/);
  t.regex(await textOf(page, '#reasons'), /too small to be worth it \(TOO_SMALL\)1/);
  t.regex(await textOf(page, '#restores-more'), /^waited .+ mostly/);
  t.regex(await textOf(page, '#progress'), /docker\.io\/team\/modelsha256:[0-9a-f]{12}fetching/);
  const { biggest } = (await (await fetch(`${mica.admin}/stats/images`)).json()) as ImageUses;
  t.true(biggest.length > IMAGES.length, 'the one that is being pulled too');
  for (const [at, { name, stored }] of biggest.entries()) {
    const row = await textOf(page, `#biggest tbody tr:nth-child(${at + 1})`);
    t.true(row.startsWith(name) && row.includes(formatBytes(stored)), row);
  }
  t.regex(await textOf(page, '#upstreams'), /docker\.iowell.*76 of 100 in 6 h/);
  t.regex(await textOf(page, '#upstreams'), /away\.testaway: not asked/);
  const path = await page.$eval('#savings .stored', (line) => line.getAttribute('d') ?? '');
  t.true((path.match(/V/g) ?? []).length >= IMAGES.length, 'a step for each image');

  await mkdir(CACHE_FOLDER, { recursive: true });
  await page.screenshot({ path: SCREENSHOT as `${string}.png`, fullPage: true });
  await release();
  await untilText(page, '#progress', 'Nothing is fetched or taken apart now.');

  t.deepEqual(problems, []);
  t.deepEqual([...new Set(requests.map((url) => new URL(url).origin))], [mica.admin]);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    t.true((await leastContrast(page)) >= 4.5, scheme);
  }
  await page.setViewport({ width: 360, height: 700 });
  t.is(await page.evaluate(() => document.documentElement.scrollWidth), 360);

  await mica.stop();
  await untilText(page, '#state.bad', 'No answer');
});
