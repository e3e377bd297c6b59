/**
 * Lets Node keep what it has compiled of the command, so that the next start takes it from there.
 *
 * What lies there is executed. It is therefore a folder of the user's own, `$XDG_CACHE_HOME/kelp` or `~/.cache/kelp`,
 * and not the one for all users that Node takes by default; it is left alone unless it belongs to the user who runs
 * this and no other may write to it, which also keeps root out of the folder of somebody else. Where there is no home,
 * or it can't be written, the command does without. `NODE_COMPILE_CACHE` names another folder and
 * `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 *
 * `serve` does without: it starts seldom, and its data directory may be the home of its user, where anything but the
 * store's own files would have the first start refused.
 */
import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';

export function useCompileCache(): void {
  // Which word is the command is not known yet; one that is a key or a file costs no more than the milliseconds.
  if (process.argv.includes('serve')) return;
  const { HOME: home, XDG_CACHE_HOME: caches, NODE_COMPILE_CACHE: chosen } = process.env;
  const parent = caches || (home && join(home, '.cache'));
  if (chosen || !parent || !isAbsolute(parent)) return;
  const directory = join(parent, 'kelp');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(directory);
    const isOurs = process.geteuid !== undefined && uid === process.geteuid() && (mode & 0o022) === 0;
    if (isOurs) enableCompileCache(directory);
  } catch {
    // A start without it takes longer by some milliseconds.
  }
}
