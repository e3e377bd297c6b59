/**
 * A client over a server in the same process whose answers a test scripts, and whose time passes at once: every wait
 * ends immediately and moves the clock on.
 */
import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { Code, ConnectError, createRouterTransport } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import type { Pace } from '../../../src/client/calls/pace.ts';

export class FakePace implements Pace {
  nowMs = 1000;
  readonly waitsMs: number[] = [];
  /** What `random` gives. */
  chance = 0.5;

  monotonicMs(): number {
    return this.nowMs;
  }

  async wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.waitsMs.push(delayMs);
    this.nowMs += delayMs;
    // A turn of the event loop, so that a loop of waits can't keep everything else from running.
    await new Promise((resolve) => setImmediate(resolve));
  }

  random(): number {
    return this.chance;
  }
}

export function clientOf(
  routes: (router: ConnectRouter) => void,
  options: Partial<ClientOptions> = {},
): { client: KelpClient; pace: FakePace } {
  const pace = new FakePace();
  const transport = createRouterTransport(routes);
  const client = createClient({ address: 'fake:7379', transport, ...options }, pace);
  return { client, pace };
}

/** An error as the server gives it, with its typed detail. */
export function kelpFailure(
  code: Code,
  reason: ErrorReason,
  info?: MessageInitShape<typeof ErrorDetailSchema>['info'],
  message = 'as the server says',
): ConnectError {
  return new ConnectError(message, code, undefined, [
    { desc: ErrorDetailSchema, value: create(ErrorDetailSchema, { reason, ...(info && { info }) }) },
  ]);
}

export const recovering = (): ConnectError => kelpFailure(Code.Unavailable, ErrorReason.RECOVERING);
/** A broken connection, as the transport tells it. */
export const broken = (): ConnectError => new ConnectError('read ECONNRESET', Code.Aborted);

/** The error that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
