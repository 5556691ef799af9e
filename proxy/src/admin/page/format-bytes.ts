// Sizes for people to read, on the page and in a terminal; `config/size.ts` writes the exact ones.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Three digits and a unit: `1.21 GiB`, `812 B`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of UNITS) {
    // 999.5 would be shown as 1000 with three digits.
    if (value < 999.5 || unit === 'TiB') {
      return `${unit === 'B' ? value : Number(value.toPrecision(3))} ${unit}`;
    }
    value /= 1024;
  }
  return `${bytes} B`;
}
