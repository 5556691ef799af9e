// Real layers by real compressors: as many at the same time as the machine can run.
export default {
  files: ['test/matrix/**/*.test.ts', 'test/streams/**/*.test.ts'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  workerThreads: false,
  concurrency: 1,
  timeout: '10m',
};
