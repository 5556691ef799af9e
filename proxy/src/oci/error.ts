// The distribution specification's errors: what a client is told, and with which status.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes

export type OciErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED';

export interface OciErrorOptions {
  readonly detail?: unknown;
  readonly retryAfterSeconds?: number;
  /** Further response headers, such as `WWW-Authenticate` or `Content-Range`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer other than success, in the terms of the specification. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: OciErrorCode, status: number, message: string, options: OciErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = status;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }

  /** The body the specification asks for. */
  toJSON(): { errors: { code: OciErrorCode; message: string; detail?: unknown }[] } {
    const error = { code: this.code, message: this.message };
    return {
      errors: [this.detail === undefined ? error : { ...error, detail: this.detail }],
    };
  }
}
