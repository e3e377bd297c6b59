import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The layers from the lowest to the highest; a folder or file of `src/` stands in exactly one. */
const layers: readonly (readonly string[])[] = [
  [
    'limits.ts',
    'errors.ts',
    'clock.ts',
    'deadlines.ts',
    'grpc-code.ts',
    'work-budget.ts',
    'time-slice.ts',
    'turn-time.ts',
    'machine.ts',
    'paged-list.ts',
    'progress.ts',
    'secret-file.ts',
    'node-version.ts',
    'check-node.ts',
    'tls-only-header.ts',
    'unix-address.ts',
    'until-aborted.ts',
  ],
  [
    'api-value.ts',
    'api-collections.ts',
    'api.ts',
    'api-json.ts',
    'engine-names.ts',
    'memory-policies.ts',
    'arguments',
    'collections',
    'tracing',
  ],
  ['disk'],
  ['wire', 'http2', 'matching', 'shell-words', 'lua'],
  ['wal', 'snapshot', 'shared-log'],
  ['engine'],
  ['store'],
  ['kv', 'types'],
  ['access', 'blobs'],
  ['cluster'],
  ['server', 'client', 'offline', 'console'],
  ['transfer', 'etcd-log'],
  ['index.ts'],
  ['cli'],
];

/** Pairs of the same layer that must not know each other. */
const strangers: readonly (readonly [string, string])[] = [
  ['wal', 'snapshot'],
  ['snapshot', 'wal'],
  ['shared-log', 'wal'],
  ['wal', 'shared-log'],
  ['shared-log', 'snapshot'],
  ['snapshot', 'shared-log'],
  ['wire', 'http2'],
  ['http2', 'wire'],
  ['lua', 'wire'],
  ['lua', 'http2'],
  ['lua', 'matching'],
  ['lua', 'shell-words'],
  ['server', 'client'],
  ['client', 'server'],
  ['offline', 'server'],
  ['server', 'offline'],
  ['offline', 'client'],
  ['client', 'offline'],
  ['transfer', 'server'],
  ['transfer', 'client'],
  ['transfer', 'etcd-log'],
  ['etcd-log', 'transfer'],
  ['etcd-log', 'server'],
  ['etcd-log', 'store'],
  ['client', 'store'],
  ['client', 'kv'],
  ['client', 'types'],
  ['types', 'kv'],
  ['client', 'access'],
  ['client', 'blobs'],
  ['blobs', 'access'],
  ['access', 'blobs'],
  ['client', 'wal'],
  ['client', 'engine'],
  ['engine', 'wal'],
  ['engine', 'snapshot'],
  ['console', 'server'],
  ['server', 'console'],
  ['console', 'client'],
  ['client', 'console'],
  ['cli', 'console'],
  ['cli', 'store'],
  ['cli', 'kv'],
  ['cli', 'access'],
  ['cli', 'blobs'],
  ['cli', 'wal'],
  ['cli', 'engine'],
  ['cli', 'snapshot'],
  ['cli', 'disk'],
];

/** The rooms of a layer from the lowest to the highest; files beside them stand above all of them. */
const roomsByLayer: Readonly<Record<string, readonly string[]>> = {
  http2: ['contract', 'frames', 'hpack', 'heads', 'output', 'streams', 'connection'],
  wal: ['frames', 'segments', 'commit'],
  kv: ['patterns', 'reads', 'collections', 'writes', 'turns'],
  server: [
    'config',
    'logging',
    'tls',
    'metrics',
    'tracing',
    'limits',
    'calls',
    'access',
    'cluster',
    'services',
    'etcd',
    'http',
    'json',
    'health',
    'reflection',
    'grpc',
    'connect',
    'rest',
    'scripts',
    'web',
    'console',
    'listener',
    'redis',
  ],
  console: [
    'page',
    'bytes',
    'calls',
    'parts',
    'keys',
    'watch',
    'leases',
    'access',
    'overview',
    'snapshots',
    'cluster',
    'palette',
    'shell',
  ],
  transfer: ['contract', 'json', 'snapshot', 'input', 'output', 'batches', 'etcd'],
  client: [
    'errors',
    'messages',
    'connection',
    'calls',
    'mirror',
    'namespace',
    'recipes',
    'tracing',
    'exchanges',
    'pipelining',
    'transports',
    'servers',
    'etcd',
    'paging',
    'collections',
  ],
  cli: ['terminal', 'process', 'command-line', 'session', 'tasks', 'shell', 'completion', 'commands'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly target: string;
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.tsx?$/.test(name),
);
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const source = readFileSync(join('src', file), 'utf8');
  return [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) => {
    const target = normalize(join(dirname(file), path ?? ''));
    return { file, from: roomOf(file), to: roomOf(target), target };
  });
}

function roomOf(path: string): string {
  return path.split(sep)[0] ?? '';
}

function layerOf(room: string): number {
  return layers.findIndex((rooms) => rooms.includes(room));
}

describe('the layers of src/', () => {
  test('every folder and file stands in a layer', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => layerOf(room) === -1)).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  test('imports point to the same layer or a lower one', () => {
    const upward = imports
      .filter(({ to }) => to !== '..')
      .filter(({ from, to }) => layerOf(to) === -1 || layerOf(to) > layerOf(from));
    expect(upward.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('outside of src/ only generated code is imported', () => {
    const outside = imports.filter(({ to, target }) => to === '..' && !target.startsWith(join('..', 'gen')));
    expect(outside.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test('neighbours that must not know each other do not', () => {
    const known = imports.filter(({ from, to }) => strangers.some(([a, b]) => a === from && b === to));
    expect(known.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  test.each(Object.entries(roomsByLayer))('imports between the rooms of %s point down', (layer, rooms) => {
    const rankOf = (path: string): number => {
      const room = path.split(sep)[1] ?? '';
      return /\.tsx?$/.test(room) ? rooms.length : rooms.indexOf(room);
    };
    const inside = imports.filter(({ from, to }) => from === layer && to === layer);
    expect(inside.filter(({ file }) => rankOf(file) === -1).map(({ file }) => file)).toEqual([]);
    const upward = inside.filter(({ file, target }) => rankOf(target) > rankOf(file));
    expect(upward.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
    const used = new Set(inside.flatMap(({ file, target }) => [rankOf(file), rankOf(target)]));
    expect(rooms.filter((_, rank) => !used.has(rank))).toEqual([]);
  });

  test('no file needs another that needs it, be it for a type alone', () => {
    const targetsOf = Map.groupBy(imports, ({ file }) => file);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (path.includes(file) || done.has(file)) return;
      for (const { target } of targetsOf.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('time, chance and files are injected below the server', () => {
    const below = files.filter((file) => layerOf(roomOf(file)) < layerOf('server'));
    const implementations = new Set([
      'clock.ts',
      'secret-file.ts',
      ...files.filter((file) => roomOf(file) === 'disk'),
    ]);
    const offences = below
      .filter((file) => !implementations.has(file))
      .filter((file) =>
        /\bDate\.now\(|\bMath\.random\(|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\.now\(|'node:fs/.test(
          readFileSync(join('src', file), 'utf8'),
        ),
      );
    expect(offences).toEqual([]);
  });
});
