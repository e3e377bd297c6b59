/** Types what docs/production.md shows of the set-up with TLS and users, in its order: what stands below a `$` line is what it prints. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { KelpProcess } from '../cli/kelp-process.ts';
import { freshClone, ownEnvironment } from '../support/fresh-clone.ts';
import { blocksOf, consoleExamplesOf, sectionOf } from '../support/page-examples.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const section = sectionOf(readFileSync('docs/production.md', 'utf8'), 'From nothing, with TLS and users');

/** The folder and the shell in which an operator types, and the server that runs in another one. */
class Workplace {
  readonly #folder: string;
  readonly #environment: Record<string, string | undefined>;
  #server: KelpProcess | undefined;
  #serveArgs: readonly string[] = [];
  #port = '0';

  private constructor(folder: string) {
    this.#folder = folder;
    const own = ownEnvironment();
    this.#environment = { ...own, PATH: [join(folder, 'bin'), own['PATH']].join(delimiter) };
  }

  static async make(): Promise<Workplace> {
    const folder = join(await temporaryDirectory(), 'clone');
    freshClone(folder);
    mkdirSync(join(folder, 'bin'));
    const kelp = join(folder, 'bin', 'kelp');
    writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${folder}/src/cli/main.ts' "$@"\n`);
    chmodSync(kelp, 0o755);
    return new Workplace(folder);
  }

  /** @returns what a command prints; what it notes for people, on standard error, only when it fails. */
  async type(command: string): Promise<string> {
    const [, exported] = /^export (.*)$/.exec(command) ?? [];
    if (exported !== undefined) {
      const pairs = exported.split(' ').map((pair) => pair.split('=') as [string, string]);
      for (const [name, value] of pairs) this.#environment[name] = this.#here(value);
      return '';
    }
    const options = { cwd: this.#folder, env: this.#environment };
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', this.#here(command)], options).catch(
      ({ stderr }: { stderr: string }) => ({ stdout: stderr }),
    );
    return stdout;
  }

  async run(program: string): Promise<string> {
    writeFileSync(join(this.#folder, 'program.ts'), this.#here(program));
    return this.type(`'${process.execPath}' --conditions=@kelpdb/source program.ts`);
  }

  /** @param args behind `kelp serve`; left out: as before. */
  async serve(args = this.#serveArgs): Promise<void> {
    this.#serveArgs = args;
    const here = args.map((arg) => (arg === ':7379' ? `127.0.0.1:${this.#port}` : arg));
    this.#server = new KelpProcess(['serve', ...here], {
      cwd: this.#folder,
      main: join(this.#folder, 'src/cli/main.ts'),
    });
    this.#port = (await this.#server.ready()).split(':').at(-1) ?? '';
  }

  async stop(): Promise<void> {
    this.#server?.child.kill('SIGTERM');
    await this.#server?.ended;
  }

  async logged(text: string): Promise<void> {
    await this.#server?.until(() => this.#server?.stdout.includes(text) === true);
  }

  #here(text: string): string {
    return text.replaceAll('localhost:7379', `localhost:${this.#port}`);
  }
}

/** What happens beside some commands, as the text around them says. */
const besides: Readonly<Record<string, (workplace: Workplace) => Promise<void>>> = {
  'mv kelp.next kelp.pem': (workplace) => workplace.logged('the TLS files were read again'),
  'kelp access reset --data-dir ./data --root-password-file root.password': (workplace) => workplace.serve(),
};

test('the set-up works as it stands', { timeout: 900_000 }, async () => {
  const workplace = await Workplace.make();
  const done: string[] = [];
  for (const { language, text } of blocksOf(section)) {
    if (language === 'sh') {
      const [before = '', serve] = text.split(/^kelp serve /m);
      await workplace.type(before);
      if (serve === undefined) continue;
      await workplace.serve(serve.trim().split(' '));
      await workplace.logged('the user root was made');
    } else if (language === 'ts') {
      const use = "console.log((await client.get('config/theme')).entry?.text());\nclient.close();\n";
      expect(await workplace.run(text + use)).toBe('dark\n');
    }
    for (const { command, output } of consoleExamplesOf(`\`\`\`${language}\n${text}\`\`\`\n`)) {
      if (command.startsWith('kelp access reset ')) await workplace.stop();
      expect(`$ ${command}\n${(await workplace.type(command)).trimEnd()}`).toBe(
        `$ ${command}\n${output.trimEnd()}`,
      );
      await besides[command]?.(workplace);
      done.push(command);
    }
  }
  expect(done).toEqual(expect.arrayContaining(Object.keys(besides)));
  expect(done.length).toBeGreaterThan(30);
});
