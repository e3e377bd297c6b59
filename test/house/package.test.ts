/** What is published: nothing that only stands beside the sources, such as a password that a deployment was given. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('what git ignores in a folder that is published is left out of the package', () => {
  // `files` of package.json goes before .gitignore.
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] };
  const ignored = readFileSync('.gitignore', 'utf8')
    .split('\n')
    .filter((line) => files.some((folder) => line.startsWith(`${folder}/`) && !line.endsWith('/')));
  expect(ignored).toContain('deploy/root-password');
  for (const path of ignored) expect(files).toContain(`!${path}`);
});
