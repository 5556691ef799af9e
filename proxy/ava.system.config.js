// Real clients, crashes and full disks: one file at a time, since they share the machine.
export default {
  files: ['test/clients/**/*.test.ts', 'test/crash/**/*.test.ts'],
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  concurrency: 1,
  timeout: '20m',
};
