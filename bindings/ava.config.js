// One process for each file: some count the threads of theirs.
export default {
  files: ['test/**/*.test.ts', '!test/matrix/**'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  workerThreads: false,
  timeout: '2m',
};
