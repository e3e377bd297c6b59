/** A client of a real server that loses the answers to some calls, which the server has carried out, and tells what it asks for. */
import type { Transport } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import type { ClientOptions } from '../../../../src/client/client-options.ts';
import { type KelpClient, createClient } from '../../../../src/client/client.ts';

export interface AskedFor {
  readonly method: string;
  readonly request: unknown;
}

export interface LossyClient {
  readonly client: KelpClient;
  /** All calls and streams so far. */
  readonly asked: AskedFor[];
  /** The answers to the next calls of a method do not come; without a number: to one. */
  lose(method: string, count?: number): void;
  /** The n-th call of a method from now on is sent when a promise resolves. */
  holdBefore(method: string, nth: number, until: Promise<void>): void;
  /** How many answers are still to be lost. */
  readonly toLose: number;
}

export function lossyClient(address: string, options: Partial<ClientOptions> = {}): LossyClient {
  const inner = createGrpcTransport({ baseUrl: `http://${address}` });
  const asked: AskedFor[] = [];
  const losses = new Map<string, number>();
  const holds: { readonly method: string; nth: number; readonly until: Promise<void> }[] = [];
  const transport: Transport = {
    async unary(method, signal, timeoutMs, header, message, contextValues) {
      asked.push({ method: method.name, request: message });
      for (const hold of holds) {
        if (hold.method === method.name && --hold.nth === 0) await hold.until;
      }
      const answer = await inner.unary(method, signal, timeoutMs, header, message, contextValues);
      const left = losses.get(method.name) ?? 0;
      if (left === 0) return answer;
      losses.set(method.name, left - 1);
      throw new ConnectError('read ECONNRESET', Code.Aborted);
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      return inner.stream(
        method,
        signal,
        timeoutMs,
        header,
        (async function* () {
          for await (const message of input) {
            asked.push({ method: method.name, request: message });
            yield message;
          }
        })(),
        contextValues,
      );
    },
  };
  const client = createClient({ address, transport, ...options });
  onTestFinished(() => client.close());
  return {
    client,
    asked,
    lose: (method, count = 1) => void losses.set(method, count),
    holdBefore: (method, nth, until) => void holds.push({ method, nth, until }),
    get toLose() {
      return [...losses.values()].reduce((sum, left) => sum + left, 0);
    },
  };
}
