import { existsSync } from 'node:fs';

// Before anything is imported that is not there yet: a stack trace would name a package and no remedy.
if (!existsSync(new URL('../node_modules/.bin/node', import.meta.url))) {
  console.error('The dependencies are not installed. Run npm ci first.');
  process.exit(1);
}
