// What is told of whole copies that come and go, and of layers that are made ahead; the metrics listen.

/** What became of a layer that was made ahead. */
export type PredictionOutcome = 'made' | 'used' | 'wasted';

export interface ReplicaObserver {
  /** A layer that was only a recipe has its whole copy again. */
  promoted(): void;
  /** Layers are only recipes from now on. */
  demoted(layers: number): void;
  predicted(outcome: PredictionOutcome): void;
}
