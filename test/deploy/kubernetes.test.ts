import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createClient } from '../../src/client/index.ts';
import { serverDefaults } from '../../src/limits.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { parseBytes } from '../../src/server/config/option-values.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { failingDisk } from '../support/troubled-disk.ts';
import { besideStateBytes } from './support/server-memory.ts';
import { warningsOfStarts } from './support/start-of.ts';

type Labels = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme: string };
  readonly periodSeconds: number;
  readonly failureThreshold?: number;
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: {
    readonly requests: { readonly memory: string };
    readonly limits: { readonly memory: string };
  };
  readonly securityContext: unknown;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface StatefulSet extends Manifest {
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: unknown;
        readonly volumes: readonly {
          readonly name: string;
          readonly secret: { readonly secretName: string; readonly defaultMode: number };
        }[];
      };
    };
    readonly volumeClaimTemplates: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly accessModes: readonly string[] };
    }[];
    readonly persistentVolumeClaimRetentionPolicy: Labels;
  };
}

interface Service extends Manifest {
  readonly spec: {
    readonly clusterIP: string;
    readonly selector: Labels;
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
  };
}

interface DisruptionBudget extends Manifest {
  readonly spec: { readonly maxUnavailable: number; readonly selector: { readonly matchLabels: Labels } };
}

interface NetworkPolicy extends Manifest {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ingress: readonly { readonly ports: readonly { readonly port: string }[] }[];
  };
}

const documents = parseAllDocuments(readFileSync('deploy/kubernetes.yaml', 'utf8'));

function manifest(apiVersion: string, kind: string): unknown {
  const found = documents.map((document) => document.toJS() as Manifest).filter((each) => each.kind === kind);
  expect(found.map((each) => each.apiVersion)).toEqual([apiVersion]);
  return found[0];
}

const set = manifest('apps/v1', 'StatefulSet') as StatefulSet;
const service = manifest('v1', 'Service') as Service;
const pod = set.spec.template.spec;
const container = pod.containers[0] as Container;
const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));

test('the file is YAML without errors or keys that stand twice', () => {
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  expect(documents.length).toBe(4);
});

test('all that selects pods selects those of the set', () => {
  const { labels } = set.spec.template.metadata;
  const selectors = [
    set.spec.selector.matchLabels,
    service.spec.selector,
    (manifest('policy/v1', 'PodDisruptionBudget') as DisruptionBudget).spec.selector.matchLabels,
    (manifest('networking.k8s.io/v1', 'NetworkPolicy') as NetworkPolicy).spec.podSelector.matchLabels,
  ];
  for (const selector of selectors) expect(selector).toEqual(labels);
  expect(set.spec.serviceName).toBe(service.metadata.name);
});

test('there is one pod, which no drain moves by itself, and whose data stays', () => {
  expect(set.spec.replicas).toBe(1);
  expect((manifest('policy/v1', 'PodDisruptionBudget') as DisruptionBudget).spec.maxUnavailable).toBe(0);
  expect(set.spec.persistentVolumeClaimRetentionPolicy).toEqual({
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  expect(set.spec.volumeClaimTemplates[0]?.spec.accessModes).toEqual(['ReadWriteOncePod']);
});

test('the server gets options that there are, and the port is one and the same everywhere', async () => {
  const { listen, dataDir } = await loadConfig({ environment });
  const { name, containerPort } = container.ports[0] ?? { name: '', containerPort: 0 };
  expect(listen).toEqual({ host: '0.0.0.0', port: containerPort });
  expect(service.spec.ports).toMatchObject([{ port: containerPort, targetPort: name }]);
  const policy = manifest('networking.k8s.io/v1', 'NetworkPolicy') as NetworkPolicy;
  expect(policy.spec.ingress.flatMap(({ ports }) => ports)).toEqual([{ port: name }]);
  expect(set.spec.template.metadata.annotations['prometheus.io/port']).toBe(String(containerPort));
  // A folder below the volume's root: there may be a lost+found in that.
  const [mount] = container.volumeMounts;
  expect(dataDir).toBe(`${mount?.mountPath}/store`);
  expect(mount?.name).toBe(set.spec.volumeClaimTemplates[0]?.metadata.name);
});

test('access is decided: the user root, TLS, and metrics without a token, by secrets that only the server reads', async () => {
  const { tls, access } = await loadConfig({ environment });
  const paths = [tls?.certPath, tls?.keyPath, access.rootPasswordFile];
  const mounts = container.volumeMounts.slice(1);
  const secretOf = (path = ''): string | undefined => {
    const mount = mounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    return pod.volumes.find(({ name }) => name === mount?.name)?.secret.secretName;
  };
  expect(paths.map(secretOf)).toEqual(['kelp-tls', 'kelp-tls', 'kelp-root']);
  expect(paths.map((path) => path?.split('/').at(-1))).toEqual(['tls.crt', 'tls.key', 'password']);
  for (const { secret } of pod.volumes) expect(secret.defaultMode).toBe(0o440);
  expect(access).toMatchObject({ allowAnonymous: false, allowPlaintext: false, openMetrics: true });
  expect(await warningsOfStarts(environment)).toEqual([]);
  const comment = readFileSync('deploy/kubernetes.yaml', 'utf8');
  expect(comment).toContain('create secret generic kelp-root --from-file=password=');
  expect(comment).toContain('create secret tls kelp-tls ');
});

test('what runs is the version of these sources', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(container.image.endsWith(`:${version}`)).toBe(true);
  expect(container.args).toEqual(['serve']);
});

test('the pod has memory for what is not keys and values, and time to stop', async () => {
  const { requests, limits } = container.resources;
  expect(requests.memory).toBe(limits.memory);
  const machineMemoryBytes = parseBytes(limits.memory.replace(/Gi$/, 'GiB'));
  const { memoryBytesMax } = await loadConfig({ environment, machineMemoryBytes });
  expect(memoryBytesMax).toBeLessThan(machineMemoryBytes);
  expect(machineMemoryBytes - memoryBytesMax).toBeGreaterThan(besideStateBytes);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(serverDefaults.shutdownTimeoutMs / 1000);
});

test('the pod may do no more than it needs', () => {
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

/** Certificates are not verified, as the kubelet does not. */
async function asked(url: string): Promise<IncomingMessage> {
  const request = get(url, { rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

describe('probes and scrapes', () => {
  test('ask for what the server answers without credentials, over TLS, on the port by its name', async () => {
    const password = join(await temporaryDirectory(), 'root-password');
    writeFileSync(password, 'secret', { mode: 0o600 });
    const { url } = await startTestServer({
      flags: {
        'tls-cert': 'test/support/tls/cert.pem',
        'tls-key': 'test/support/tls/key.pem',
        'root-password-file': password,
        'open-metrics': environment['KELP_OPEN_METRICS'] ?? '',
      },
    });
    const { livenessProbe, readinessProbe } = container;
    for (const { httpGet } of [livenessProbe, readinessProbe]) {
      expect(httpGet).toMatchObject({ port: container.ports[0]?.name, scheme: 'HTTPS' });
      expect((await asked(`${url}${httpGet.path}`)).statusCode).toBe(200);
    }
    const { annotations } = set.spec.template.metadata;
    expect(annotations['prometheus.io/scheme']).toBe('https');
    const scraped = await asked(`${url}${annotations['prometheus.io/path']}`);
    expect(scraped.headers['content-type']).toContain('text/plain; version=0.0.4');
  });

  test('find a server alive, but not ready, once its disk has failed', async () => {
    const { disk, fail } = failingDisk();
    const { url, address } = await startTestServer({ flags: { fsync: 'always' }, storeOptions: { disk } });
    await using client = createClient({ address });
    fail();
    await expect(client.put('a', 'b')).rejects.toThrow();
    const { livenessProbe, readinessProbe } = container;
    const statusAt = async ({ httpGet }: Probe): Promise<number> =>
      (await fetch(`${url}${httpGet.path}`)).status;
    await eventually(() => statusAt(readinessProbe)).toBe(503);
    expect(await statusAt(livenessProbe)).toBe(200);
    // A busy minute is no reason to lose the pod.
    expect(livenessProbe.periodSeconds * (livenessProbe.failureThreshold ?? 3)).toBeGreaterThanOrEqual(60);
  });
});
