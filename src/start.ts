#!/usr/bin/env node
import process from 'node:process';

/* `npx herald-hub`: the service or, where it is given arguments, the command line. */

// As `npm start` does it: where something fails is told by the lines of the source.
process.setSourceMapsEnabled(true);
await (process.argv.length > 2 ? import('./cli.js') : import('./main.js'));
