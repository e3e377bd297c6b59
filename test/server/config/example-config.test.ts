/** `kelp.example.yaml` is what the table of options makes, and the server takes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/server/config/config.ts';
import { serverOptions } from '../../../src/server/config/server-options.ts';
import { exampleConfig } from '../../../tools/example-config.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const example = readFileSync('kelp.example.yaml', 'utf8');

async function load(text: string): ReturnType<typeof loadConfig> {
  const path = join(await temporaryDirectory(), 'kelp.yaml');
  writeFileSync(path, text);
  return loadConfig({ flags: { config: path } });
}

describe('kelp.example.yaml', () => {
  test('is what npm run generate makes', () => {
    expect(example).toBe(exampleConfig());
  });

  test('names every option once', () => {
    const named = [...example.matchAll(/^#([\w-]+): \S/gm)].map(([, name]) => name);
    expect(named).toEqual(serverOptions.map(({ name }) => name));
  });

  test('changes nothing as it is', async () => {
    expect(await load(example)).toEqual(await load(''));
  });

  test('holds the defaults, each in a form that the server takes', async () => {
    // What makes a node of a cluster excludes some of the others.
    const ofCluster =
      /^(log|log-(ca|cert|key|user|password-file)|advertise(-redis)?|peer-.*|follow(-ca|-token-file)?):/;
    const taken = example
      .split('\n')
      .map((line) => (ofCluster.test(line.slice(1)) ? line : line.replace(/^#(?=[\w-]+: \S)/, '')))
      .join('\n');
    const otlp = { endpoint: 'http://127.0.0.1:4318', sampleShare: 1 };
    const tls = {
      certPath: '/etc/kelp/tls.crt',
      keyPath: '/etc/kelp/tls.key',
      clientCaPath: '/etc/kelp/client-ca.crt',
    };
    const defaultConfig = await load('');
    expect(await load(taken)).toEqual({
      ...defaultConfig,
      redis: {
        listen: { host: '127.0.0.1', port: 6379 },
        hasTls: true,
        eventClasses: 'KEA',
      },
      tls,
      access: { ...defaultConfig.access, rootPasswordFile: '/etc/kelp/root-password' },
      otlp,
      corsOrigins: ['https://app.example.com'],
    });
  });
});
