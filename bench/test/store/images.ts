// Images for tests of what reads a corpus.
import type { CorpusImage, CorpusLayer } from '../../src/corpus/corpus-file.ts';

export const digestOf = (name: string): string =>
  `sha256:${Buffer.from(name).toString('hex').padStart(64, '0')}`;

const layerOf = (name: string): CorpusLayer => ({
  digest: digestOf(name),
  size: 1000,
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
});

/** An image whose layers have these names. */
export function imageOf(name: string, layers: readonly string[]): CorpusImage {
  return {
    ...{ repository: `bench/${name}`, tag: '1', family: name, tool: 'crane' },
    manifest: digestOf(`manifest-${name}`),
    layers: layers.map(layerOf),
  };
}
