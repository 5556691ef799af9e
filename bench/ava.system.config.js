// Real images by real builders, in CI's size: 2 minutes, more on a machine that does something else.
export default {
  files: ['test/system/**/*.test.ts'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  timeout: '20m',
};
