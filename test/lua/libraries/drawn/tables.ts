/** Calls of `table`; what a call makes of its table is shown, too. */
import type { LuaValue } from '../../../../src/lua/value.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { Libraries, LibraryCall } from '../support/library-calls.ts';
import { drawNumber, drawScalar, drawValue } from './values.ts';

const FUNCTIONS = ['concat', 'insert', 'remove', 'sort', 'maxn', 'getn'];

export function drawTableCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  const name = random.pick(FUNCTIONS);
  const args: LuaValue[] = [random.chance(0.97) ? drawList(random, libraries) : drawValue(random, libraries)];
  switch (name) {
    case 'concat':
      if (random.chance(0.7)) args.push(random.pick([',', '', 1, '--']));
      if (args.length > 1 && random.chance(0.4)) args.push(random.between(-1, 4));
      if (args.length > 2 && random.chance(0.7)) args.push(random.between(0, 6));
      break;
    case 'insert':
      if (random.chance(0.5)) args.push(random.between(1, 8));
      args.push(drawScalar(random));
      // With one argument less the scalar would be the position: Redis would move elements for minutes from one far below.
      if (args.length === 3 && random.chance(0.05)) args.push(1);
      break;
    case 'remove':
      if (random.chance(0.6)) args.push(random.between(-1, 7));
      break;
    default:
      break;
  }
  return { name: `table.${name}`, args, showsFirst: true };
}

function drawList(random: SeededRandom, libraries: Libraries): LuaValue {
  const isMixed = random.chance(0.1);
  const isText = random.chance(0.5);
  const items: LuaValue[] = [];
  for (let left = random.below(12); left > 0; left--) {
    const number = drawNumber(random);
    // What is no number has no order: where it ends up is decided by each comparison.
    items.push(
      isMixed
        ? (drawScalar(random) ?? 0)
        : isText
          ? `s${random.below(20)}`
          : Number.isNaN(number)
            ? 1
            : number,
    );
  }
  return libraries.list(...items);
}
