/**
 * Measures watchers that are clients of `kelp serve`, all in one other process, which also writes: events a second, and
 * the time from the call of a put to its event. The reading process shares the machine and is often what limits.
 */
import { once } from 'node:events';
import { readWatchResponse, type WatchResponseShape } from '../../gen/kelp/v1/watch_codec.ts';
import type { BenchCase } from '../bench-case.ts';
import { type FanOutTarget, measureFanOut } from '../load/fan-out.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { PUT_PATH, putRequest, WATCH_PATH, watchRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';

/** Connections of the watchers; a server takes a limited number of streams on each. */
const WATCH_CONNECTIONS = 10;

export const servedWatch: BenchCase = {
  async run(context) {
    const server = await startKelp(context, `${context.directory}/data`, 'never');
    const writer = new GrpcCaller(server.ready);
    const watchers = Array.from({ length: WATCH_CONNECTIONS }, () => new GrpcCaller(server.ready));
    try {
      for (const caller of [writer, ...watchers]) await caller.connect();
      await measureFanOut(context, served(writer, watchers));
    } finally {
      for (const caller of [writer, ...watchers]) caller.close();
      await server.stop();
    }
  },
};

function served(writer: GrpcCaller, watchers: readonly GrpcCaller[]): FanOutTarget {
  let nextWatcher = 0;
  return {
    name: '@grpc/grpc-js',
    put: (key, value) => writer.call(PUT_PATH, putRequest(key, value)),
    async watch(key, onEvents) {
      const caller = watchers[nextWatcher++ % watchers.length] ?? writer;
      const stream = caller.stream(WATCH_PATH, watchRequest(key), readResponse);
      await once(stream, 'data');
      stream.on('data', ({ message }: WatchResponseShape) => {
        if (message.case === 'events') onEvents(message.value.events.length);
      });
      // A cancelled stream ends with an error that says so.
      const ended = new Promise<void>((resolve) => stream.once('error', () => resolve()));
      return {
        stop() {
          stream.cancel();
          return ended;
        },
      };
    },
  };
}

function readResponse(bytes: Buffer): WatchResponseShape {
  return readWatchResponse(bytes, 0, bytes.length);
}
