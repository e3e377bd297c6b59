/** Proves that `gen/` is what `buf generate` makes from `proto/` now: generates into a fresh folder and compares. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function filesOf(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

const fresh = mkdtempSync(join(tmpdir(), 'kelp-gen-'));
try {
  const { status } = spawnSync('buf', ['generate', '--output', fresh], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const made = filesOf(join(fresh, 'gen'));
  const committed = filesOf('gen');
  const names = new Set([...made.keys(), ...committed.keys()]);
  const differing = [...names].filter((name) => made.get(name) !== committed.get(name)).sort();
  for (const name of differing)
    console.error(`gen/${name} is not what buf generate makes; run npm run generate`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} finally {
  rmSync(fresh, { recursive: true });
}
