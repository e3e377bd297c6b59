/** The files that start a cluster: what they give to each server, and how the servers find each other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseLogAddress } from '../../src/etcd-log/log-address.ts';
import { serverDefaults } from '../../src/limits.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { parseDurationMs } from '../../src/server/config/option-values.ts';
import { imageEnvironment } from './support/compose.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly user: string;
  readonly read_only: boolean;
}

const { services, volumes } = parse(readFileSync('deploy/compose.cluster.yaml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const named = (prefix: string): [string, Service][] =>
  Object.entries(services).filter(([name]) => name.startsWith(prefix));
const nodes = named('kelpdb-');
const members = named('etcd-');

test('there are three nodes and three members, each with a volume of its own', () => {
  expect([nodes.length, members.length]).toEqual([3, 3]);
  const mounted = [...nodes, ...members].map(([, service]) => service.volumes?.[0]?.split(':')[0]);
  expect(mounted.length).toBe(Object.keys(volumes).length);
  expect(new Set(mounted)).toEqual(new Set(Object.keys(volumes)));
});

test('every server is told of the same log, of all members, and tells a name that the others know', async () => {
  for (const [name, { environment, image, ports }] of nodes) {
    const { cluster, listen } = await loadConfig({ environment: { ...imageEnvironment(), ...environment } });
    expect(image).toBe(`kelpdb:${version}`);
    expect(cluster?.advertise).toBe(`${name}:7379`);
    expect(listen).toEqual({ host: '0.0.0.0', port: 7379 });
    expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:73\d\d:7379$/)]);
    const { addresses } = parseLogAddress(cluster?.log ?? '');
    expect(addresses.map(({ text }) => text)).toEqual(members.map(([member]) => `http://${member}:2379`));
  }
});

test('the log is made before the first node is started, and stays as it is afterwards', () => {
  const { init } = services;
  expect(init?.command).toEqual([
    'cluster',
    'init',
    '--if-missing',
    '--log',
    nodes[0]?.[1].environment['KELP_LOG'],
  ]);
  expect(init?.image).toBe(`kelpdb:${version}`);
});

test('no container has more of the machine than it needs, and nodes have the time to hand over', () => {
  for (const service of Object.values(services)) {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      user: expect.not.stringMatching(/^(?:root|0)(?::|$)/) as string,
    });
  }
  for (const [, service] of nodes) {
    expect(parseDurationMs(service.stop_grace_period ?? '')).toBeGreaterThan(
      serverDefaults.shutdownTimeoutMs,
    );
  }
});

test('the manifests of Kubernetes have three pods that know their names, of which one at a time may go', async () => {
  const documents = parseAllDocuments(readFileSync('deploy/kubernetes.cluster.yaml', 'utf8'));
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  const byKind = new Map(
    documents.map((document) => {
      const manifest = document.toJS() as { kind: string; spec: Record<string, unknown> };
      return [manifest.kind, manifest.spec];
    }),
  );
  expect(byKind.get('PodDisruptionBudget')).toMatchObject({ maxUnavailable: 1 });
  expect(byKind.get('Service')).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  const set = byKind.get('StatefulSet') as unknown as {
    readonly replicas: number;
    readonly serviceName: string;
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env: readonly { name: string; value?: string }[] }[];
      };
    };
  };
  expect(set.replicas).toBe(3);
  const env = set.template.spec.containers[0]?.env ?? [];
  const environment = Object.fromEntries(
    env
      .filter(({ name }) => name.startsWith('KELP_'))
      .map(({ name, value = '' }) => [name, value.replace('$(POD_NAME)', `${set.serviceName}-0`)]),
  );
  const { cluster } = await loadConfig({ environment });
  expect(cluster).toMatchObject({
    advertise: 'kelp-0.kelp.default.svc:7379',
    peerTokenFile: '/run/secrets/kelp-peers/token',
    peerCaPath: '/run/secrets/kelp-tls/ca.crt',
  });
  expect(parseLogAddress(cluster?.log ?? '').addresses.length).toBe(3);
});
