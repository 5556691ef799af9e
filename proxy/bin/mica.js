#!/usr/bin/env node
// The command `mica`. It is there before the build is, so that npm can link to it.
import '../dist/src/adapter/node/main.js';
