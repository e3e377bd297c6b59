/** `kelp completion`: a script that a shell reads once; completing itself starts no `kelp`. */
import type { Command } from 'commander';
import { assert } from '../../errors.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { type Place, placesOf } from './places.ts';
import { zshScript } from './zsh.ts';

const scriptByShell: Readonly<Partial<Record<string, (places: readonly Place[]) => string>>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function completionScript(program: Command, shell: string): string {
  const script = scriptByShell[shell];
  assert(script !== undefined, `there is a script for ${shell}`);
  return script(placesOf(program));
}
