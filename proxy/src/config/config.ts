// The configuration after it was checked: every value present, units resolved, paths absolute.

/** How to log in to an upstream. At most one way is set. */
export interface UpstreamAuth {
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  /** Path of a Docker `config.json`, whose `auths`, `credHelpers` and `credsStore` are used. */
  readonly dockerConfig?: string;
  /** Name of a credential helper: `docker-credential-<helper>`. */
  readonly helper?: string;
}

export interface UpstreamConfig {
  /** Base URLs, tried in order. */
  readonly urls: readonly string[];
  readonly auth?: UpstreamAuth;
  /** Whether a client's own credentials are asked for and passed on. */
  readonly passThrough: boolean;
  /** `Host` header values that choose this upstream. */
  readonly hosts: readonly string[];
  /** Path of a PEM file with further certificate authorities. */
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** Proxy URL; else the environment's HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
  readonly proxy?: string;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** Longest pause in a body. */
  readonly bodyTimeoutMs: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Quota =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly ratio: number };

export interface Config {
  readonly listen: Address;
  readonly admin: Address;
  /** Absolute path of the data folder. */
  readonly data: string;
  readonly quota: Quota;
  readonly defaultUpstream: string;
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  readonly tags: {
    readonly ttlMs: number;
    readonly negativeTtlMs: number;
    readonly staleIfErrorMs: number;
  };
  readonly dedup: {
    readonly mode: 'off' | 'b' | 's';
    readonly replicas: number;
    readonly rawBudget: Quota;
    readonly minLayer: number;
    readonly workers: 'auto' | number;
    /** Whether layers are made ahead that a client is about to ask for. */
    readonly predict: boolean;
  };
  readonly access: {
    /** How long an upstream's yes to a client's credentials holds. */
    readonly grantTtlMs: number;
  };
  readonly auth?: { readonly htpasswd: string };
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  readonly index: { readonly url: string };
  readonly store: {
    readonly url: string;
    /** After this long a stored blob is hashed again when it is next served. */
    readonly recheckMs: number;
  };
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
    readonly format: 'json' | 'text';
  };
}
