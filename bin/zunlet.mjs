#!/usr/bin/env node
// The launcher. It is plain JavaScript so that an old Node gets a sentence and not a syntax error.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `zunlet needs Node.js 22.19 or newer; this is ${process.versions.node}. Run it through npx or npm run, which use the Node that npm ci installed, or install a newer Node.\n`,
  );
  process.exit(2);
}
await import('../src/main.ts');
