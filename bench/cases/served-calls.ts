/**
 * Measures what a server can do: one call over and over by `h2load`, which is written in C. KelpDB in plain text and
 * over TLS, with `--fsync always`; etcd, which flushes before it answers, too. On a busy machine read the rows for each
 * second of the server's processor time, not those by the clock.
 */
import { fileURLToPath } from 'node:url';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { type H2Server, measureWithH2load } from '../load/h2load.ts';
import { GET_PATH, getRequest, PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';
import { startKelp } from '../load/kelp-server.ts';
import { ETCD_PUT_PATH, etcdPutRequest, RANGE_PATH, rangeRequest, startEtcd } from '../peers/etcd.ts';

/** Valid for 127.0.0.1; the key is public. */
const TLS_FILES = fileURLToPath(new URL('../../test/support/tls/', import.meta.url));
const TLS_OPTIONS = [`--tls-cert=${TLS_FILES}cert.pem`, `--tls-key=${TLS_FILES}key.pem`];

const key = keyOf(0);
const value = new Values().of(0);
const get = { name: 'get', path: GET_PATH, message: getRequest(key) };
const put = { name: 'put', path: PUT_PATH, message: putRequest(key, value) };

export const servedCalls: BenchCase = {
  prepare: fillServed,

  async run(context) {
    await measureKelp(context, 'KelpDB', 'http', []);
    await measureKelp(context, 'KelpDB, TLS', 'https', TLS_OPTIONS);
    const etcd = await startEtcd(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    const { address, child } = etcd;
    try {
      const caller = new GrpcCaller(address);
      await caller.connect();
      await caller.call(ETCD_PUT_PATH, etcdPutRequest(key, value));
      caller.close();
      const server: H2Server = { name: 'etcd', url: `http://${address}`, processId: child.processId };
      await measureWithH2load(context, server, {
        name: 'get',
        path: RANGE_PATH,
        message: rangeRequest(key),
      });
      await measureWithH2load(context, server, {
        name: 'put',
        path: ETCD_PUT_PATH,
        message: etcdPutRequest(key, value),
      });
    } finally {
      await child.stop();
    }
  },
};

async function measureKelp(
  context: CaseContext,
  name: string,
  scheme: 'http' | 'https',
  options: readonly string[],
): Promise<void> {
  const child = await startKelp(context, servedDirectory(context), 'always', { options });
  try {
    const server: H2Server = { name, url: `${scheme}://${child.ready}`, processId: child.processId };
    await measureWithH2load(context, server, get);
    await measureWithH2load(context, server, put);
  } finally {
    await child.stop();
  }
}
