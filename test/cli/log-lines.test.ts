/** How `kelp log` shows the records of a cluster's node. */
import { expect, test } from 'vitest';
import { recordJson, recordLines } from '../../src/cli/terminal/log-lines.ts';

const place = { position: 7, epoch: 2, checksum: 9, writerAddress: 'a:1', successorAddress: '' };
const effects = [{ effect: { case: 'place' as const, value: place } }];

test('the note of a place has no time, and is shown with none', () => {
  const note = { revision: 0, timeMs: 0, leaseClockMs: 0, effects };
  expect(recordLines(note, false)).toBe(
    '-  -                         place    7 of the shared log, epoch 2, writer a:1\n',
  );
  expect(recordJson(note, false)).toEqual({ revision: 0, effects: [{ type: 'place', ...place }] });
});

test('one that has a time is shown with it', () => {
  const note = { revision: 0, timeMs: 1000, leaseClockMs: 5000, effects: [] };
  expect(recordLines(note, false)).toBe('-  1970-01-01T00:00:01.000Z  clock    leases at 5.0s\n');
  expect(recordJson(note, false)).toMatchObject({ time: '1970-01-01T00:00:01.000Z' });
});
