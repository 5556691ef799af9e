// The shape of a corpus for people, beside the published figures of Docker Hub.
import { type Measurements, megabytes, percent } from '../lib/table.ts';
import type { Shape } from './shape.ts';

/** Zhao et al., Large-Scale Analysis of the Docker Hub Dataset, CLUSTER 2019: 1.8 million layers. */
const dockerHub = {
  medianLayerSize: 'under 4 MB',
  medianCompressionRatio: '2.6',
  medianFilesPerImage: '1,090',
  medianFilesPerLayer: 'under 30',
  uniqueFiles: '3 %',
} as const;

const notPublished = '-';

export function tabulateShape(shape: Shape): Measurements {
  const { tools } = shape;
  const row = (what: string, value: string, hub: string = notPublished): readonly string[] => [
    what,
    value,
    hub,
  ];
  return {
    title: 'Shape of the corpus',
    head: ['what', 'corpus', 'Docker Hub'],
    rows: [
      row('images, families', `${shape.images}, ${shape.families}`),
      row('images by dockerd, buildah, crane', listCounts(tools, ['dockerd', 'buildah', 'crane'])),
      row('layers', `${shape.layers}`),
      row('layers per image, median', `${shape.layersPerImage}`),
      row('files per image, median', `${shape.medianFilesPerImage}`, dockerHub.medianFilesPerImage),
      row('files per layer, median', `${shape.medianFilesPerLayer}`, dockerHub.medianFilesPerLayer),
      row('layers of fewer than 30 files', percentOf(shape.smallLayersShare), '50 %'),
      row('layer MB, median', megabytes(shape.medianLayerSize), dockerHub.medianLayerSize),
      row('layer MB, 90th percentile', megabytes(shape.p90LayerSize)),
      row(
        'tar ÷ compressed, median layer',
        shape.medianCompressionRatio.toFixed(2),
        dockerHub.medianCompressionRatio,
      ),
      row('tar ÷ compressed, all', (shape.tarBytes / shape.compressedBytes).toFixed(2)),
      row('files in all layers', `${shape.files}`),
      row('unique files', percentOf(shape.uniqueFiles / shape.files), dockerHub.uniqueFiles),
      row('unique bytes of files', percentOf(shape.uniqueFileBytes / shape.fileBytes)),
      row('MB of all images', megabytes(shape.pulledBytes)),
      row('MB of layers, each once', megabytes(shape.compressedBytes)),
      row('MB of tars', megabytes(shape.tarBytes)),
      row('MB of files, each once', megabytes(shape.uniqueFileBytes)),
    ],
  };
}

function listCounts(counts: Readonly<Record<string, number>>, names: readonly string[]): string {
  return names.map((name) => `${counts[name] ?? 0}`).join(', ');
}

/** A share to a tenth of a percent. */
function percentOf(share: number): string {
  return percent(Number(share.toFixed(3)));
}
