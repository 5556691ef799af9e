// A server under load: Mica, or one that it is compared with.
import type { Cleanup } from '../lib/cleanup.ts';
import type { Image } from '../lib/image.ts';

export type PeerName = 'mica' | 'distribution' | 'nginx';

export interface Peer {
  readonly name: PeerName;
  /** Base URL of its `/v2/`, without a slash at the end. */
  readonly url: string;
  /** Base URL of Mica's admin API; others have none. */
  readonly admin?: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface PeerOptions {
  /** Its own: configuration, stored content and logs go there. */
  readonly folder: string;
  readonly cleanup: Cleanup;
  readonly upstream: string;
  /** What nginx serves; mirrors get it from the upstream. */
  readonly image?: Image;
  readonly namespace?: string;
  /** Arguments for Node, for a profile. */
  readonly nodeArguments?: readonly string[];
  /** Keys of Mica's configuration that are not as by default. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** How to start a peer that is installed. */
export interface InstalledPeer {
  readonly name: PeerName;
  readonly version: string;
  readonly start: (options: PeerOptions) => Promise<Peer>;
}
