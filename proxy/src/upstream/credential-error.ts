// A configured credential that cannot be had. Names the file or helper, never the secret.

export type CredentialErrorCode =
  | 'CREDENTIAL_FILE'
  | 'CREDENTIAL_HELPER'
  | 'CREDENTIAL_INVALID'
  | 'CREDENTIAL_MISSING'
  | 'CREDENTIAL_UNSUPPORTED';

export interface CredentialErrorOptions {
  /** What to do about it. */
  readonly hint: string;
  readonly cause?: unknown;
}

export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  readonly code: CredentialErrorCode;
  readonly hint: string;

  constructor(code: CredentialErrorCode, message: string, options: CredentialErrorOptions) {
    super(
      `${message} (${options.hint})`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
  }
}
