// Docker's engine pulls real images through the proxy.

import { pullThreeTimes, testWith } from './client.ts';
import { startDockerd } from './start-dockerd.ts';

testWith('dockerd', 'docker')(
  'docker pull through registry-mirrors gets the exact images when cold, warm and offline',
  (t) => pullThreeTimes(t, startDockerd),
);
