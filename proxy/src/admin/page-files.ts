// The page that shows /stats to people: its files, as they are in this package. They load nothing from
// elsewhere, so that the page works where there is no network.

import type { Files } from '../runtime/runtime.ts';

export interface PageFile {
  readonly contentType: string;
  read(): Promise<string>;
}

/** Scripts are compiled beside this file; what tsc does not copy stays where it was written. */
const COMPILED = new URL('./page/', import.meta.url);
const WRITTEN = new URL('../../../src/admin/page/', import.meta.url);

const SCRIPT = 'text/javascript; charset=utf-8';

const NAMES: readonly (readonly [path: string, folder: URL, name: string, contentType: string])[] =
  [
    ['/', WRITTEN, 'index.html', 'text/html; charset=utf-8'],
    ['/page/page.css', WRITTEN, 'page.css', 'text/css; charset=utf-8'],
    ['/page/icon.svg', WRITTEN, 'icon.svg', 'image/svg+xml'],
    ['/page/page.js', COMPILED, 'page.js', SCRIPT],
    ['/page/sections.js', COMPILED, 'sections.js', SCRIPT],
    ['/page/format-bytes.js', COMPILED, 'format-bytes.js', SCRIPT],
    ['/page/reasons.js', COMPILED, 'reasons.js', SCRIPT],
    ['/page/savings-chart.js', COMPILED, 'savings-chart.js', SCRIPT],
    ['/page/elements.js', COMPILED, 'elements.js', SCRIPT],
    ['/page/format.js', COMPILED, 'format.js', SCRIPT],
  ];

/** The page's files by their path on the admin port. */
export function pageFiles(files: Pick<Files, 'readText'>): ReadonlyMap<string, PageFile> {
  return new Map(
    NAMES.map(([path, folder, name, contentType]) => {
      const read = () => files.readText(decodeURIComponent(new URL(name, folder).pathname));
      return [path, { contentType, read }] as const;
    }),
  );
}
