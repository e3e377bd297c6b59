/** Debian's Prometheus, as a process of its own with its storage in a folder of the test. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { found } from '../../support/installed.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

export const isPrometheusInstalled = found(
  'prometheus',
  ['prometheus', 'promtool'].every((program) => spawnSync(program, ['--version']).status === 0),
);

/** One series of an instant vector. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[];
}

export class Prometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Starts one that ends with the test. */
  static async start(config: unknown): Promise<Prometheus> {
    const folder = await temporaryDirectory();
    const configPath = join(folder, 'prometheus.yml');
    writeFileSync(configPath, stringify(config));
    const process = spawn(
      'prometheus',
      [
        `--config.file=${configPath}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--web.listen-address=127.0.0.1:0',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const ended = once(process, 'close');
    onTestFinished(async () => {
      process.kill('SIGKILL');
      await ended;
    });
    const lines: string[] = [];
    for await (const line of createInterface({ input: process.stderr })) {
      lines.push(line);
      const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
      if (address !== undefined) {
        // What it says from here on is of no use, and must not fill the pipe.
        process.stderr.resume();
        return new Prometheus(`http://${address}`);
      }
    }
    throw new Error(`Prometheus has ended: ${lines.join('\n')}`);
  }

  /** An instant query. @throws Error when Prometheus refuses the expression. */
  async query(expression: string): Promise<readonly Series[]> {
    const { result } = await this.#get<{
      result: readonly { metric: Series['metric']; value: readonly [number, string] }[];
    }>('query', { query: expression });
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = await this.#get<{ groups: readonly { rules: readonly RuleState[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async #get<Data>(what: string, parameters: Readonly<Record<string, string>> = {}): Promise<Data> {
    const response = await fetch(`${this.#url}/api/v1/${what}?${new URLSearchParams(parameters).toString()}`);
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: Data };
    if (status !== 'success') throw new Error(`${error}: ${JSON.stringify(parameters)}`);
    return data;
  }
}
