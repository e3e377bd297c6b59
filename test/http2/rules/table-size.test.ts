import { describe, expect, test } from 'vitest';
import { encodeBlock, TABLE_SIZE_ZERO } from '../../../src/http2/hpack/encoder.ts';
import { behaviourOf } from '../support/behaviours.ts';
import { ClientUnderTest } from '../support/client-under-test.ts';
import {
  blockOf,
  flag,
  frameType,
  headersFrame,
  preface,
  setting,
  settingsFrame,
} from '../support/frames.ts';
import { ServerUnderTest } from '../support/server-under-test.ts';

/** Sizes of the dynamic table, told in one SETTINGS frame. */
function tableSizes(...sizes: readonly number[]): Buffer {
  return settingsFrame(sizes.map((size) => [setting.HEADER_TABLE_SIZE, size] as const));
}

function blocksSent({ clock, socket }: ClientUnderTest | ServerUnderTest): Buffer[] {
  clock.settle();
  return socket.frames.filter(({ type }) => type === frameType.HEADERS).map(blockOf);
}

describe('RFC 7541, section 4.2: a smaller dynamic table is confirmed at the beginning of the next header block', () => {
  test.each([
    ['a smaller one', [100], '3f45'],
    ['one of no bytes', [0], '20'],
    ['the smallest in between as well', [0, 4096], '203fe11f'],
    ['the smallest of several, then the last', [50, 10, 200], '2a3fa901'],
  ])('by a client: %s', (_what, sizes, hex) => {
    const client = new ClientUnderTest().receive(settingsFrame());
    client.call();
    client.receive(tableSizes(...sizes));
    client.call();
    client.call();
    const [, second, third] = blocksSent(client);
    expect(second?.toString('hex', 0, hex.length / 2)).toBe(hex);
    expect((third?.[0] ?? 0) & 0xe0).not.toBe(0x20);
  });

  test('by a client, of several frames the smallest too', () => {
    const client = new ClientUnderTest().receive(settingsFrame(), tableSizes(0), tableSizes(4096));
    client.call();
    expect(blocksSent(client)[0]?.toString('hex', 0, 4)).toBe('203fe11f');
  });

  test('by a client: one as large as it uses, or larger, is not', () => {
    const client = new ClientUnderTest().receive(tableSizes(4096), tableSizes(65_536));
    client.call();
    expect((blocksSent(client)[0]?.[0] ?? 0) & 0xe0).not.toBe(0x20);
  });

  const request = (id: number): Buffer =>
    headersFrame(
      id,
      encodeBlock([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/unary'],
        [':authority', 'kelp'],
      ]),
      flag.END_HEADERS | flag.END_STREAM,
    );

  test.each([[[0]], [[100]], [[0, 4096]]])('by a server, which uses none: %j', (sizes) => {
    const server = new ServerUnderTest(behaviourOf).receive(
      preface,
      tableSizes(...sizes),
      request(1),
      request(3),
    );
    const [head, ...rest] = blocksSent(server);
    expect(head?.[0]).toBe(TABLE_SIZE_ZERO);
    expect(rest.map((block) => block[0])).not.toContain(TABLE_SIZE_ZERO);
  });
});
