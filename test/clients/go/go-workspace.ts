/** The Go client, built with Go's libraries as Debian has them, where there is no network: in a GOPATH of its own. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { found } from '../../support/installed.ts';

const run = promisify(execFile);

const LIBRARIES = '/usr/share/gocode';
const PACKAGES = ['google.golang.org/grpc', 'google.golang.org/protobuf/proto'];

export const isGoClientBuildable = found(
  "Go's gRPC and Protobuf",
  ['/usr/bin/go', ...PACKAGES.map((name) => join(LIBRARIES, 'src', name))].every((path) => existsSync(path)),
);

export interface GoRun {
  readonly stdout: string;
  readonly stderr: string;
}

export class GoWorkspace {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** To be removed by who makes it. */
  static async make(): Promise<GoWorkspace> {
    const directory = await mkdtemp(join(tmpdir(), 'kelp-go-'));
    await mkdir(join(directory, 'src'));
    await symlink(resolve('clients/go'), join(directory, 'src/kelp'));
    return new GoWorkspace(directory);
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }

  /** Runs `go` in a package, a path of the workspace or below `clients/go`. Rejects with its output when it fails. */
  async go(
    folder: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GoRun> {
    try {
      return await run('/usr/bin/go', args, { cwd: folder, env: this.#env(env), maxBuffer: 64 << 20 });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as Partial<GoRun>;
      throw new Error(`go ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  /** Builds a package of the client, such as `conformance`. @returns the program. */
  async build(name: string): Promise<string> {
    const program = join(this.directory, name);
    await this.go(this.directory, ['build', '-o', program, `kelp/${name}`]);
    return program;
  }

  #env(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    // Without a home Go has no place for what it has built of libraries.
    const place = process.env['HOME'] === undefined ? { GOCACHE: join(this.directory, 'cache') } : {};
    const GOPATH = `${this.directory}:${LIBRARIES}`;
    return { ...place, ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '', PWD: undefined, ...more };
  }
}
