// Opens a file and asks its size, without leaving it open when that fails.

import type { Files, OpenFile } from '../runtime/runtime.ts';

export async function openSized(
  files: Files,
  path: string,
  mode: 'read' | 'update',
): Promise<{ file: OpenFile; size: number }> {
  const file = await files.open(path, mode);
  try {
    return { file, size: await file.size() };
  } catch (error) {
    await file.close();
    throw error;
  }
}
