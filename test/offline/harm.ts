/** Damage of all kinds to the files of a data directory, drawn by chance. */
import * as fc from 'fast-check';
import { changed, contentOf, type Files, flip } from './small-stores.ts';

/** What may become of a data directory. */
type Harm =
  | { readonly kind: 'flip' | 'cut' | 'zero'; readonly file: number; readonly at: number }
  | { readonly kind: 'remove'; readonly file: number }
  | { readonly kind: 'exchange'; readonly file: number; readonly with: number }
  | { readonly kind: 'foreign' | 'otherHistory'; readonly file: number };

const fileArbitrary = fc.nat(11);
const atArbitrary = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
export const harmArbitrary: fc.Arbitrary<Harm> = fc.oneof(
  fc.record({ kind: fc.constantFrom('flip', 'cut', 'zero'), file: fileArbitrary, at: atArbitrary }),
  fc.record({ kind: fc.constant('remove'), file: fileArbitrary }),
  fc.record({ kind: fc.constant('exchange'), file: fileArbitrary, with: fileArbitrary }),
  fc.record({ kind: fc.constantFrom('foreign', 'otherHistory'), file: fileArbitrary }),
);

export function harmed(files: Files, others: Record<'foreign' | 'otherHistory', Files>, harm: Harm): Files {
  const paths = [...files.keys()];
  const path = paths[harm.file % paths.length];
  if (path === undefined) return files;
  const bytes = contentOf(files, path);
  // The zeros behind the content are of little interest.
  const contentBytes = bytes.findLastIndex((byte) => byte !== 0) + 33;
  switch (harm.kind) {
    case 'flip':
      return changed(
        files,
        path,
        flip(bytes, Math.floor(harm.at * Math.min(contentBytes, bytes.length) * 8)),
      );
    case 'cut':
      return changed(files, path, bytes.slice(0, Math.floor(harm.at * contentBytes)));
    case 'zero': {
      const start = Math.floor(harm.at * contentBytes);
      return changed(files, path, bytes.slice().fill(0, start, start + 100));
    }
    case 'remove':
      return changed(files, path, undefined);
    case 'exchange': {
      const other = paths[harm.with % paths.length] ?? path;
      return changed(changed(files, path, contentOf(files, other)), other, bytes);
    }
    case 'foreign':
    case 'otherHistory': {
      const other = others[harm.kind].get(path);
      return other === undefined ? files : changed(files, path, other);
    }
  }
}
