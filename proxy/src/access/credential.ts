// Who asks: a client's own name and password, as far as they are passed on to an upstream.

/** A name and password for a registry. Never logged; the fingerprint stands for it in the index. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** A credential that came with a request. */
export interface ClientCredential extends Credential {
  /** Keyed hash of both (HMAC-SHA-256 with the data folder's key), hex. */
  readonly fingerprint: string;
}

/** Who looks: decides which content is visible. */
export interface Viewer {
  readonly credential?: ClientCredential;
}
