import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, OutputClosedError } from '../../src/cli/terminal/output.ts';

function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, callback) => callback(Object.assign(new Error(`write ${code}`), { code })),
  });
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, callback) => callback() });

test('a closed pipe is told from a full disk', async () => {
  await expect(new Output(failing('EPIPE'), nowhere()).write('x')).rejects.toThrow(OutputClosedError);
  await expect(new Output(failing('ENOSPC'), nowhere()).write('x')).rejects.toThrow('write ENOSPC');
});

test('after a pipe was closed every further write says so too', async () => {
  const output = new Output(failing('EPIPE'), nowhere());
  await expect(output.write('x')).rejects.toThrow(OutputClosedError);
  await expect(output.write('y')).rejects.toThrow(OutputClosedError);
});

test('a write waits for the reader', async () => {
  let release = (): void => undefined;
  const slow = new Writable({ write: (_chunk, _encoding, callback) => void (release = callback) });
  let isDone = false;
  const writing = new Output(slow, nowhere()).write('x').then(() => (isDone = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  release();
  await writing;
});

test('a closed standard error is no failure', async () => {
  const output = new Output(nowhere(), failing('EPIPE'));
  output.note('x');
  await new Promise((resolve) => setImmediate(resolve));
  await output.write('y');
});
