// Why a layer stays whole, in words, for the page and for a terminal.

const WORDS: Readonly<Record<string, string>> = {
  TOO_SMALL: 'too small to be worth it',
  GIVEN_UP: 'failed too often; tried again after a day',
  RECIPE_LARGE: 'its recipe would save nothing',
  LAYER_TAR_LIMIT: 'its tar is too large',
  ZSTD_OTHER_COMPRESSOR: 'zstd of another compressor than libzstd',
  ZSTD_SEVERAL_FRAMES: 'zstd of several frames',
  ZSTD_SKIPPABLE_FRAME: 'zstd with skippable frames, as zstd:chunked has',
  ZSTD_TRAILING_LAYER_BYTES: 'zstd with bytes behind its end',
};

/** `too small to be worth it (TOO_SMALL)`; the code alone when it has no words. */
export function reasonText(code: string): string {
  const words = WORDS[code];
  return words === undefined ? code : `${words} (${code})`;
}
