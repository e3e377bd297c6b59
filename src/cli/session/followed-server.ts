/** The server that a read replica follows, over the client: `FollowedServer`. */
import type { LogHeadShape } from '../../../gen/kelp/v1/cluster_codec.ts';
import { type KelpClient, createClient } from '../../client/client.ts';
import { isKelpError } from '../../client/errors/error.ts';
import {
  type FollowedCall,
  type FollowedFrom,
  type FollowedServer,
  type FollowedStep,
  FollowError,
  type FollowErrorCode,
  type ServerHead,
} from '../../cluster/replica/followed-server.ts';
import type { FollowConfig } from '../../server/config/cluster-config.ts';
import { readPem } from './pem-file.ts';
import { readSecretOf } from './secret-input.ts';

/** Reads what the options name. What it returns connects, as often as that is wanted. @throws UsageError */
export async function followedServerOf(config: FollowConfig): Promise<() => FollowedServer> {
  const { address, caPath, tokenFile: path } = config;
  const ca = caPath === undefined ? undefined : await readPem('--follow-ca', caPath);
  const token =
    path === undefined
      ? undefined
      : (await readSecretOf({ path, source: '--follow-token-file' }, 'token')).secret;
  return () =>
    new ClientServer(
      address,
      createClient({
        address,
        ...(ca !== undefined && { tls: { ca } }),
        // Who follows tries again by itself.
        retries: 0,
        ...(token !== undefined && { credentials: { token }, allowPlaintextCredentials: true }),
      }),
    );
}

export class ClientServer implements FollowedServer {
  readonly address: string;
  readonly #client: KelpClient;

  constructor(address: string, client: KelpClient) {
    this.address = address;
    this.#client = client;
  }

  async head({ signal, timeoutMs }: FollowedCall): Promise<ServerHead> {
    try {
      const options = { deadlineMs: timeoutMs, ...(signal !== undefined && { signal }) };
      return headOf(await this.#client.cluster.head(options));
    } catch (error) {
      signal?.throwIfAborted();
      throw followError(error);
    }
  }

  async *follow({ storeId, after }: FollowedFrom, signal: AbortSignal): AsyncGenerator<FollowedStep> {
    const request = {
      storeId: Buffer.from(storeId).toString('hex'),
      afterRevision: after.revision,
      incarnation: after.incarnation,
      noteCount: after.notes.count,
      noteChecksum: after.notes.checksum,
      snapshotLife: after.snapshotLife,
    };
    let parts: Uint8Array[] = [];
    try {
      for await (const { records, isPartial, head } of this.#client.cluster.follow(request, { signal })) {
        if (isPartial) {
          // It is a view of a buffer that is used again.
          parts.push(Uint8Array.from(records));
          continue;
        }
        const whole = parts.length === 0 ? records : Buffer.concat([...parts, records]);
        parts = [];
        yield { records: whole, head: head && headOf(head) };
      }
    } catch (error) {
      signal.throwIfAborted();
      throw followError(error);
    }
  }

  async *snapshot(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* this.#client.admin.backup({ signal });
  }

  close(): void {
    this.#client.close();
  }
}

function headOf(head: LogHeadShape): ServerHead {
  return { ...head, storeId: Uint8Array.from(head.storeId) };
}

const codeOf: Readonly<Record<string, FollowErrorCode>> = {
  revisionCompacted: 'trimmed',
  revisionFuture: 'wentBack',
  historyDiffers: 'wentBack',
  otherStore: 'otherStore',
  unauthenticated: 'refused',
  permissionDenied: 'refused',
  unimplemented: 'refused',
};

function followError(error: unknown): Error {
  if (error instanceof FollowError) return error;
  if (!isKelpError(error)) return error as Error;
  return new FollowError(codeOf[error.code] ?? 'unavailable', error.message, { cause: error });
}
