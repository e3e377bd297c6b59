/** The difference of two texts, line by line: what stays is a longest common subsequence of their lines. */
import { limits } from '../page/limits.ts';

export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Of texts that differ in too many lines all of the first is removed, and all of the second added. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const one = before.split('\n');
  const other = after.split('\n');
  const shorter = Math.min(one.length, other.length);
  let head = 0;
  while (head < shorter && one[head] === other[head]) head++;
  let tail = 0;
  while (tail < shorter - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++;
  return [
    ...asLines('same', one.slice(0, head)),
    ...middle(one.slice(head, one.length - tail), other.slice(head, other.length - tail)),
    ...asLines('same', one.slice(one.length - tail)),
  ];
}

function asLines(kind: DiffLine['kind'], texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ kind, text }));
}

function middle(one: readonly string[], other: readonly string[]): DiffLine[] {
  if (one.length * other.length > limits.diffPairs) {
    return [...asLines('removed', one), ...asLines('added', other)];
  }
  const width = other.length + 1;
  const common = commonLengths(one, other);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < one.length && column < other.length) {
    if (one[row] === other[column]) {
      lines.push({ kind: 'same', text: one[row++] ?? '' });
      column++;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      lines.push({ kind: 'removed', text: one[row++] ?? '' });
    } else {
      lines.push({ kind: 'added', text: other[column++] ?? '' });
    }
  }
  return [...lines, ...asLines('removed', one.slice(row)), ...asLines('added', other.slice(column))];
}

/** At `row * (other.length + 1) + column`: how long the longest common subsequence is of what stands from `row` and `column` on. */
function commonLengths(one: readonly string[], other: readonly string[]): Uint32Array {
  const width = other.length + 1;
  const lengths = new Uint32Array((one.length + 1) * width);
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      const index = row * width + column;
      lengths[index] =
        one[row] === other[column]
          ? (lengths[index + width + 1] ?? 0) + 1
          : Math.max(lengths[index + width] ?? 0, lengths[index + 1] ?? 0);
    }
  }
  return lengths;
}
