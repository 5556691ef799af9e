// The corpus from the command line: `node bindings/dist/test/streams/make-streams.js --help`.

import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import type { Compressor } from './compressor.ts';
import {
  allCompressors,
  availableCompressors,
  matrixCompressors,
  REPRESENTATIVE_COMPRESSORS,
} from './compressors.ts';
import { installStreamPrograms } from './install.ts';
import { LAYER_NAMES, type Layer, type LayerSize } from './layer.ts';
import { makeLayer } from './layers.ts';
import { makeStreams } from './streams.ts';

const HELP = `Makes gzip and zstd streams of real layers with real compressors.

  --layer PATTERN        of ${LAYER_NAMES.join(', ')}; all without it
  --size SIZE            tiny: about 400 kB of tar; small: 4 MB, the default; full: 30 to 250 MB
  --compressor PATTERN   of the catalogue; one a model without it
  --matrix               all compressors that differ, but the slow ones, in place of --compressor
  --folder FOLDER        where the streams go; .cache/streams/streams without it
  --jobs NUMBER          streams made at the same time; one for each core without it
  --list                 names the compressors and ends

A pattern is a name with * for any characters. --layer and --compressor may be given repeatedly.
`;

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      layer: { type: 'string', multiple: true, default: ['*'] },
      size: { type: 'string', default: 'small' },
      compressor: { type: 'string', multiple: true, default: [...REPRESENTATIVE_COMPRESSORS] },
      matrix: { type: 'boolean', default: false },
      folder: { type: 'string' },
      jobs: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(HELP);
  if (values.list) return listCompressors();
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  for (const problem of await installStreamPrograms()) print(`not installed: ${problem}\n`);
  const compressors = values.matrix
    ? matrixCompressors()
    : availableCompressors().filter((one) => matches(one.name, values.compressor));
  const layers: Layer[] = [];
  for (const name of LAYER_NAMES.filter((one) => matches(one, values.layer))) {
    layers.push(await makeLayer(name, parseSize(values.size)));
  }
  const started = Date.now();
  const streams = await makeStreams({
    layers,
    compressors,
    ...(values.folder === undefined ? {} : { folder: values.folder }),
    ...(values.jobs === undefined ? {} : { jobs: Number(values.jobs) }),
    onMade: (stream, made, total) => {
      const { layer, compressor, length } = stream;
      print(`${made}/${total} ${layer.name} ${compressor.name} ${length}\n`);
    },
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  print(`${streams.length} streams of ${layers.length} layers in ${seconds} s\n`);
}

function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(name);
  });
}

function parseSize(text: string): LayerSize {
  if (text === 'tiny' || text === 'small' || text === 'full') return text;
  throw new Error(`--size is tiny, small or full, not ${text}`);
}

function listCompressors(): void {
  for (const one of allCompressors()) print(`${describe(one)}\n`);
}

function describe({ name, family, expected, isSlow, isAvailable }: Compressor): string {
  const notes = [isSlow ? 'slow' : '', isAvailable() ? '' : 'not installed'];
  return [name, family, expected, ...notes].filter((note) => note !== '').join(' ');
}

function print(text: string): void {
  process.stdout.write(text);
}

await run();
