/** A server that is alone pays nothing for what a cluster needs. */
import { createHook } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { GET, Lane, message } from '../grpc/lane.ts';

test('a get makes no promise', () => {
  const lane = new Lane({});
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') count++;
    },
  });
  const request = message({ key: 'abc' });
  lane.open(GET).receive(request, true);
  hook.enable();
  const stream = lane.open(GET);
  stream.receive(request, true);
  hook.disable();
  expect(stream.body.length).toBeGreaterThan(0);
  expect(count).toBe(0);
});
