// Why a data folder cannot be used, in words for the person who starts Mica.

import type { Runtime } from '../runtime/runtime.ts';

export type DataFolderErrorCode =
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_NOT_WRITABLE'
  | 'DATA_FOLDER_TOO_NEW'
  | 'DATA_FOLDER_UNKNOWN';

export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
  readonly code: DataFolderErrorCode;
  readonly path: string;

  constructor(code: DataFolderErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

export function describeUser(runtime: Runtime): string {
  if (runtime.userName !== undefined) return `user ${runtime.userName}`;
  return runtime.isRoot ? 'user root' : 'the user that runs Mica';
}
