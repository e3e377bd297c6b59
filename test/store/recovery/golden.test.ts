/**
 * Golden scripts of what watches say: a line that begins with ">" is a command, what follows is what the open watches
 * said to it, each line with the name of its watch. They are read as prose, and written anew by
 * `vitest run test/store/recovery/golden.test.ts -u`.
 *
 *   watch NAME [REQUEST]   opens a watch with this request, as JSON
 *   leave NAME             ends a watch
 *   put KEY VALUE [OPTIONS]   writes a key, with these options as JSON
 *   delete KEY             deletes a key
 *   delete-prefix PREFIX   deletes a range
 *   increment KEY DELTA    adds to a number
 *   touch KEY MS           gives a key another time to live
 *   txn STEP; STEP; ...    runs some of the five above, but for touch, in one transaction
 *   grant ID MS, renew ID, revoke ID   leases
 *   pass MS                lets time pass
 *   jump MS                moves the wall clock alone, and nothing has been removed yet when the next command runs
 *   compact REVISION       drops history
 *   reopen                 closes the store and opens it again
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Operation, PutOptions, WatchRequest } from '../../../src/api.ts';
import { messageText, Watching } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

const FOLDER = join(import.meta.dirname, 'golden');

class Script {
  readonly #harness: MemoryHarness;
  readonly #watches = new Map<string, Watching>();
  #said: string[] = [];

  private constructor(harness: MemoryHarness) {
    this.#harness = harness;
  }

  static async open(): Promise<Script> {
    return new Script(await MemoryHarness.open());
  }

  async run(command: string): Promise<string[]> {
    this.#said = [];
    try {
      await this.#do(command);
    } catch (error) {
      this.#said.push(refusal(error));
    }
    await this.#harness.clock.settled();
    // Each watch reads by itself: only the order within one of them means something.
    return this.#said.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  }

  async #do(command: string): Promise<void> {
    const { store } = this.#harness;
    const [name = '', first = '', second = ''] = command.split(' ');
    const json = command.slice(command.search(/\{|$/));
    switch (name) {
      case 'watch':
        this.#watch(first, json === '' ? {} : (JSON.parse(json) as WatchRequest));
        return;
      case 'leave':
        await this.#watches.get(first)?.stop();
        return;
      case 'put':
        await store.put(first, second, json === '' ? {} : (JSON.parse(json) as PutOptions));
        return;
      case 'delete':
        await store.delete(first);
        return;
      case 'delete-prefix':
        await store.deleteRange({ prefix: first });
        return;
      case 'increment':
        await store.increment(first, BigInt(second));
        return;
      case 'touch':
        await store.touch(first, { ttlMs: Number(second) });
        return;
      case 'txn':
        await store.txn({ success: command.slice('txn '.length).split('; ').map(toOperation) });
        return;
      case 'grant':
        await store.grantLease(Number(second), Number(first));
        return;
      case 'renew':
        await store.renewLease(Number(first));
        return;
      case 'revoke':
        await store.revokeLease(Number(first));
        return;
      case 'pass':
        await this.#harness.advance(Number(first));
        return;
      case 'jump':
        this.#harness.clock.jump(Number(first));
        return;
      case 'compact':
        await store.compact(Number(first));
        return;
      case 'reopen':
        await this.#harness.reopen();
        return;
      default:
        throw new Error(`there is no command ${name}`);
    }
  }

  #watch(name: string, request: WatchRequest): void {
    const watching = new Watching(this.#harness.store, request);
    this.#watches.set(name, watching);
    const read = async (): Promise<void> => {
      for await (const message of watching.iterator) this.#said.push(`${name}: ${messageText(message)}`);
      this.#said.push(`${name}: ended`);
    };
    read().catch((error: unknown) => this.#said.push(`${name}: ${refusal(error)}`));
  }
}

function nameOf(line: string): string {
  return line.split(':')[0] ?? '';
}

function refusal(error: unknown): string {
  const { code, details } = error as { code?: string; details?: unknown };
  if (code === undefined) throw error;
  return `${code}${details === undefined ? '' : ` ${JSON.stringify(details)}`}`;
}

function toOperation(step: string): Operation {
  const [name, key = '', word = ''] = step.split(' ');
  switch (name) {
    case 'put':
      return { kind: 'put', key, value: word };
    case 'delete':
      return { kind: 'delete', key };
    case 'delete-prefix':
      return { kind: 'deleteRange', range: { prefix: key } };
    case 'increment':
      return { kind: 'increment', key, delta: BigInt(word) };
    default:
      throw new Error(`there is no step ${name}`);
  }
}

/** The script with what its commands print now. */
async function rerun(text: string): Promise<string> {
  const script = await Script.open();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const isProse = line === '' || line.startsWith('#');
    if (isProse) lines.push(line);
    if (line.startsWith('> ')) lines.push(line, ...(await script.run(line.slice('> '.length))));
  }
  return lines.join('\n');
}

describe('a watch says', () => {
  it.each(readdirSync(FOLDER))('%s', async (file) => {
    const path = join(FOLDER, file);
    await expect(await rerun(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path);
  });
});
