// Files that are closed whatever happens.

export interface Closable {
  close(): Promise<void>;
}

/** Opens a file, uses it and closes it. */
export async function usingFile<F extends Closable, T>(
  opened: Promise<F>,
  use: (file: F) => Promise<T>,
): Promise<T> {
  const file = await opened;
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
