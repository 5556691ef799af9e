// What the configuration of a container engine consists of.

/** Where the engines find Mica. */
export interface MirrorAddress {
  /** Scheme, host and port: `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Host and port: `127.0.0.1:5000`. */
  readonly host: string;
  /** Whether it is http rather than https. */
  readonly isPlain: boolean;
  readonly isLoopback: boolean;
}

export interface ClientFile {
  readonly path: string;
  readonly content: string;
}

export interface ClientFiles {
  readonly files: readonly ClientFile[];
  /** The command that makes the engine use the files. */
  readonly restart: string;
  readonly notes: readonly string[];
}

/** The URL at which engines find a registry by its name. */
export function registryUrl(name: string): string {
  return name === 'docker.io' ? 'https://registry-1.docker.io' : `https://${name}`;
}
