// Says which version runs.
const { readFileSync } = require('node:fs');

console.log(readFileSync(`${__dirname}/VERSION`, 'utf8').trim());
