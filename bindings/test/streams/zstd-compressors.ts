// What makes zstd streams: libzstd's streaming interface, which the core knows in one version; its
// program, whose worker threads cut the text; and klauspost's encoder, as BuildKit and buildah have it.

import { join } from 'node:path';
import { SOURCES_FOLDER } from './cache.ts';
import { type Compressor, fromCommand } from './compressor.ts';
import { goProgramFile, zstandardFolder } from './programs.ts';

const PYTHON_PROGRAM = join(SOURCES_FOLDER, 'python', 'compress_zstd.py');

/** Levels that are too slow for layers of more than a few megabytes. */
const SLOW_LEVEL = 16;

export function zstdCompressors(): readonly Compressor[] {
  return [...programs(), ...libraries(), ...klauspost()];
}

function programs(): readonly Compressor[] {
  return [1, 3, 9, 19].map((level) =>
    fromCommand({
      name: `zstd-${level}`,
      family: 'other',
      command: ['zstd', '-q', '-c', `-${level}`],
      expected: 'raw',
      format: 'zstd',
      isSlow: level >= SLOW_LEVEL,
    }),
  );
}

/** libzstd 1.5.7 with a checksum; one is told the size of its text. */
function libraries(): readonly Compressor[] {
  const folder = zstandardFolder();
  return [1, 3, 6, 9, 12, 15, 19].map((level) =>
    fromCommand({
      name: `zstandard-${level}`,
      family: 'zstd',
      command: ['python3', PYTHON_PROGRAM, folder, `${level}`, '1', level === 6 ? '1' : '0'],
      format: 'zstd',
      isSlow: level >= SLOW_LEVEL,
      needs: folder,
    }),
  );
}

function klauspost(): readonly Compressor[] {
  return [1, 2, 3, 4].map((level) =>
    fromCommand({
      name: `klauspost-zstd-1.20.4-${level}`,
      family: 'other',
      command: [goProgramFile('klauspost-zstd-1.20.4'), '-level', `${level}`],
      expected: 'raw',
      format: 'zstd',
    }),
  );
}
