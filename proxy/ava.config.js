// Units, the HTTP suite and the fault matrix: parallel, no privileges needed.
export default {
  files: ['test/**/*.test.ts', '!test/clients/**', '!test/crash/**'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  timeout: '2m',
};
