/** W3C Trace Context, as calls carry it. */
import { createTraceState } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { readTraceparent, traceHeadersOf } from '../../src/tracing/trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const parent = `00-${traceId}-${spanId}-01`;

describe('a traceparent', () => {
  test('is read back as it was written', () => {
    const context = { traceId, spanId, traceFlags: 1 };
    expect(traceHeadersOf(context)).toEqual({ traceparent: parent, tracestate: '' });
    expect(readTraceparent(parent)).toEqual(context);
    expect(readTraceparent(`00-${traceId}-${spanId}-00`)).toEqual({ ...context, traceFlags: 0 });
  });

  test('goes on with the state of its trace', () => {
    const traceState = createTraceState('a=1,b=2');
    expect(traceHeadersOf({ traceId, spanId, traceFlags: 0, traceState })).toEqual({
      traceparent: `00-${traceId}-${spanId}-00`,
      tracestate: 'a=1,b=2',
    });
  });

  test('says of flags that are not known that they are not set', () => {
    expect(readTraceparent(`00-${traceId}-${spanId}-fe`)).toMatchObject({ traceFlags: 0 });
    expect(readTraceparent(`00-${traceId}-${spanId}-ff`)).toMatchObject({ traceFlags: 1 });
  });

  test('of a later version is read as far as it is known', () => {
    expect(readTraceparent(`cc${parent.slice(2)}-what-comes`)).toMatchObject({ traceId, spanId });
    expect(readTraceparent(`cc${parent.slice(2)}`)).toMatchObject({ traceId, spanId });
    expect(readTraceparent(`cc${parent.slice(2)}.what`)).toBeUndefined();
    const long = `cc${parent.slice(2)}-${'x'.repeat(fixed.traceparentCharactersMax)}`;
    expect(readTraceparent(long)).toBeUndefined();
  });

  test.each([
    '',
    'x',
    parent.slice(1),
    `${parent}-`,
    `${parent}-00`,
    `${parent} `,
    `ff${parent.slice(2)}`,
    parent.toUpperCase(),
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-0g`,
    `00_${traceId}_${spanId}_01`,
    `${parent}, ${parent}`,
  ])('that is malformed is none: %j', (text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });

  test('is not sent for a span that stands for none', () => {
    expect(
      traceHeadersOf({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 }),
    ).toBeUndefined();
  });
});
