/**
 * Builds the packages: `node tools/build.ts`, or with the name of one, `kelpdb` or `client`; or the console alone, `console`.
 *
 *     dist/src, dist/gen             the library and the client, file by file, with their types
 *     dist/kelp                      the command, in few files that hold what it needs of other packages to make a call
 *     dist/console                   the page that the server has for browsers
 *     clients/typescript/dist        the client alone
 *
 * The command is bundled since reading and linking 200 small files takes longer than a call. It is CommonJS, since an
 * import of one of Node's own modules evaluates everything that it offers: that of `node:http` loads the whole of
 * fetch. What only a server needs stays outside. See docs/decisions/0009-bundled-command.md.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildConsole } from './build-console.ts';
import { type ChunkingContext, type OutputChunk, type Plugin, build } from 'rolldown';

const root = resolve(import.meta.dirname, '..');

function compile(config: string, directory: string): void {
  rmSync(join(root, directory), { recursive: true, force: true });
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', config],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Error(`tsc -p ${config} failed`);
}

/** Commander asks for it when it starts commands that are programs of their own, of which there are none. */
const withoutChildProcess: Plugin = {
  name: 'without-child-process',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('/node_modules/commander/')
      ? '\0no-child-process'
      : null,
  load: (id) => (id === '\0no-child-process' ? 'export default {};' : null),
};

/**
 * Puts what every start loads into one file. All that such a module imports is such a module, so nothing else is drawn into it.
 */
function chunkOfStart(): (id: string, context: ChunkingContext) => string | null {
  let ids: Set<string> | undefined;
  return (id, context) => {
    ids ??= importedBy(join(root, 'src/cli/start.ts'), context);
    return ids.has(id) ? 'start' : null;
  };
}

/** The modules that are loaded with one, itself among them. */
function importedBy(first: string, context: ChunkingContext): Set<string> {
  const ids = new Set([first]);
  for (const id of ids) for (const each of context.getModuleInfo(id)?.importedIds ?? []) ids.add(each);
  return ids;
}

async function buildKelpdb(): Promise<void> {
  compile('tsconfig.build.json', 'dist');
  const { output } = await build({
    cwd: root,
    input: { main: 'src/cli/main.ts' },
    platform: 'node',
    external: [/^pino/, '@opentelemetry/api', 'prom-client', 'yaml'],
    plugins: [withoutChildProcess],
    output: {
      dir: 'dist/kelp',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      comments: { legal: true, jsdoc: false, annotation: false },
      codeSplitting: {
        groups: [
          { name: chunkOfStart(), debugName: 'start' },
          // Small files that every call needs a few of.
          { name: 'wire', test: /\/src\/(?:wire\/|until-aborted)/ },
          { name: 'arguments', test: /\/src\/(?:arguments\/|collections\/|paged-list)/ },
        ],
      },
    },
    logLevel: 'warn',
  });
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  for (const { fileName, code } of chunks) writeFileSync(join(root, 'dist/kelp', fileName), inAscii(code));
  const modules = chunks.flatMap((chunk) => chunk.moduleIds);
  writeFileSync(join(root, 'dist/kelp/LICENSES.txt'), licensesOf('The command', modules));
  await buildPages();
}

async function buildPages(): Promise<void> {
  const folder = join(root, 'dist/console');
  const modules = await buildConsole(folder);
  writeFileSync(join(folder, 'LICENSES.txt'), licensesOf('The console', modules));
}

/**
 * Escapes what is not ASCII: texts alone hold any, since comments are left out. V8 keeps the source of all that is loaded, and takes two
 * bytes for each character of a file in which one is beyond Latin-1.
 */
function inAscii(code: string): string {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function buildClient(): void {
  compile('clients/typescript/tsconfig.json', 'clients/typescript/dist');
  copyFileSync(join(root, 'LICENSE'), join(root, 'clients/typescript/LICENSE'));
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** The licences of the packages that the modules come from, and what their files say of other copyrights. */
function licensesOf(holder: string, modules: readonly string[]): string {
  const directories = new Set<string>();
  const notices = new Map<string, Set<string>>();
  for (const path of modules) {
    const [directory] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
    if (directory === undefined) continue;
    directories.add(directory);
    const [head = ''] = /^(?:\s*\/\/.*\n)*/.exec(readFileSync(path, 'utf8')) ?? [];
    const known = notices.get(directory) ?? new Set();
    for (const notice of head.split(/\n\s*\n/).filter((text) => /copyright/i.test(text))) {
      known.add(notice.replace(/^ *\/\/ ?/gm, '').trim());
    }
    notices.set(directory, known);
  }
  const parts = [...directories].sort().map((directory) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(directory, 'package.json'), 'utf8'),
    ) as PackageJson;
    const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
    const texts =
      file === undefined
        ? [...(notices.get(directory) ?? [])]
        : [readFileSync(join(directory, file), 'utf8')];
    return [`${name} ${version}, ${license}`, ...texts.map((text) => text.trim())].join('\n\n');
  });
  const line = '-'.repeat(80);
  return `${holder} holds code of these packages:\n\n${parts.join(`\n\n${line}\n\n`)}\n`;
}

const names = process.argv.slice(2);
if (names.length === 0) names.push('kelpdb', 'client');
for (const name of names) {
  if (name === 'kelpdb') await buildKelpdb();
  else if (name === 'client') buildClient();
  else if (name === 'console') await buildPages();
  else throw new Error(`there is no package "${name}"; give kelpdb, client or console`);
}
