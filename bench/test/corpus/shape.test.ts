import test from 'ava';
import type { CorpusImage } from '../../src/corpus/corpus-file.ts';
import { measureShape } from '../../src/corpus/shape.ts';

const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';

function makeImage(
  family: string,
  tool: CorpusImage['tool'],
  sizes: readonly number[],
): CorpusImage {
  const layers = sizes.map((size) => ({ digest: `layer-${size}`, size, mediaType }));
  return { repository: `bench/${family}`, tag: '1', family, tool, manifest: family, layers };
}

test('measureShape() counts a layer of two images once, and a file of two layers once', (t) => {
  const images = [makeImage('a', 'dockerd', [100, 10]), makeImage('b', 'crane', [100, 20])];
  const shared = { id: 'shared', size: 50 };
  const many = Array.from({ length: 40 }, (_, index) => ({ id: `file ${index}`, size: 2 }));
  const layers = new Map([
    ['layer-100', { tarSize: 300, files: [shared, ...many] }],
    ['layer-10', { tarSize: 40, files: [shared] }],
    ['layer-20', { tarSize: 60, files: [] }],
  ]);
  t.like(measureShape(images, layers), {
    images: 2,
    families: 2,
    tools: { dockerd: 1, crane: 1 },
    layers: 3,
    layersPerImage: 2,
    medianLayerSize: 20,
    medianCompressionRatio: 3,
    medianFilesPerLayer: 1,
    smallLayersShare: 2 / 3,
    medianFilesPerImage: 41.5,
    files: 42,
    uniqueFiles: 41,
    pulledBytes: 230,
    compressedBytes: 130,
    tarBytes: 400,
    fileBytes: 180,
    uniqueFileBytes: 130,
  });
});
