/** An etcd that serves over TLS alone, wants certificates of its clients, and lets one user at the keys of one log. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { RealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { freePort } from '../../support/free-port.ts';
import type { SecretFiles } from './secret-files.ts';

const run = promisify(execFile);

/** @returns the address of the log: there is none yet. */
export async function startSecuredEtcd(files: SecretFiles, user: string, password: string): Promise<string> {
  const endpoint = `127.0.0.1:${await freePort()}`;
  const url = `https://${endpoint}`;
  const etcd = await RealEtcd.start([
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--cert-file=${files.cert}`,
    `--key-file=${files.key}`,
    `--trusted-ca-file=${files.ca}`,
    '--client-cert-auth',
  ]);
  onTestFinished(() => etcd.stop());
  const etcdctl = (...args: readonly string[]): Promise<unknown> =>
    run('etcdctl', [
      `--endpoints=${url}`,
      `--cacert=${files.ca}`,
      `--cert=${files.cert}`,
      `--key=${files.key}`,
      ...args,
    ]);
  await etcdctl('user', 'add', 'root:a secret of root');
  await etcdctl('user', 'grant-role', 'root', 'root');
  await etcdctl('role', 'add', 'log');
  await etcdctl('role', 'grant-permission', 'log', 'readwrite', 'kelp/main/', 'kelp/main0');
  await etcdctl('user', 'add', `${user}:${password}`);
  await etcdctl('user', 'grant-role', user, 'log');
  await etcdctl('auth', 'enable');
  return `etcds://${endpoint}/kelp/main`;
}
