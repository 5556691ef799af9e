// What the benchmarks read and reckon; the benchmarks themselves are no tests.
export default {
  files: ['test/**/*.test.ts', '!test/system/**'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
};
