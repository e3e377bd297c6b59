/** How a node of a cluster reaches the others: by the client, with what the options say that it shows to them. */
import { type KelpClient, createClient } from '../../client/client.ts';
import type { Peers, SentReport } from '../../cluster/node.ts';
import { cluster as limits } from '../../limits.ts';
import type { ServerConfig } from '../../server/config/config.ts';
import type { NodeParts } from '../../server/store-opener.ts';
import { peerFailure } from './peer-failure.ts';
import { readPem } from './pem-file.ts';
import { readSecretOf } from './secret-input.ts';

/** @throws UsageError */
export async function peersOf({ cluster, tls }: Pick<ServerConfig, 'cluster' | 'tls'>): Promise<{
  readonly peers: ClientPeers;
  readonly peerTls: NodeParts['peerTls'];
  readonly peerToken: string | undefined;
}> {
  const { peerCaPath: caPath, peerTokenFile: path } = cluster ?? {};
  const ca = caPath === undefined ? undefined : await readPem('--peer-ca', caPath);
  const token =
    path === undefined
      ? undefined
      : (await readSecretOf({ path, source: '--peer-token-file' }, 'token')).secret;
  const peerTls = tls && (() => ({ ca }));
  const peers = new ClientPeers((address) =>
    createClient({
      address,
      tls: tls !== undefined && (ca === undefined || { ca }),
      // A node says again how far it is, and a snapshot is begun anew by who asked for it.
      retries: 0,
      // Where access is closed without TLS, the operator has allowed that for all who come.
      ...(token !== undefined && { credentials: { token }, allowPlaintextCredentials: true }),
    }),
  );
  return { peers, peerTls, peerToken: token };
}

export class ClientPeers implements Peers {
  readonly #open: (address: string) => KelpClient;
  /** The last one that was spoken to: a node reports to one writer at a time. */
  #client: { readonly address: string; readonly client: KelpClient } | undefined;

  constructor(open: (address: string) => KelpClient) {
    this.#open = open;
  }

  async *snapshot(address: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    await using client = this.#open(address);
    try {
      yield* client.admin.backup({ signal });
    } catch (error) {
      throw peerFailure(error);
    }
  }

  async report(address: string, report: SentReport, signal: AbortSignal): Promise<void> {
    try {
      await this.#clientOf(address).cluster.report(report, { signal, deadlineMs: limits.reportMs });
    } catch (error) {
      throw peerFailure(error);
    }
  }

  close(): void {
    this.#client?.client.close();
  }

  #clientOf(address: string): KelpClient {
    const last = this.#client;
    if (last?.address === address) return last.client;
    last?.client.close();
    const client = this.#open(address);
    this.#client = { address, client };
    return client;
  }
}
