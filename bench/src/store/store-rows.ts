// What of the store can be measured alone.

export const storeRows = ['size', 'single', 'ingest', 'hits', 'restore', 'replay', 'pull'] as const;

export type StoreRow = (typeof storeRows)[number];

export function isStoreRow(text: string): text is StoreRow {
  return storeRows.some((row) => row === text);
}
