/**
 * Golden scripts: a line that begins with ">" is a command, what follows is what it printed. They are read as prose,
 * and written anew by `vitest run test/wal/golden.test.ts -u`.
 *
 *   create        makes a new log
 *   put TEXT...   commits a record of the next revision for each word, all in one batch, and waits for its flush
 *   note TEXT...  the same with notes
 *   idle          lets 100 ms pass
 *   close         closes the log
 *   lose-power    crashes
 *   open [R]      opens the log again for whoever knows the state after revision R (0), and shows what it replays
 *   tear N BYTES  makes zeros of the last N bytes of the content, then puts BYTES there
 *   flip OFFSET   flips a bit of the byte there, in the newest segment
 *   remove R      removes the segments that only revisions below R need
 *   dump          shows every frame
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { abbreviate, dumpLog, framesOf, segmentPaths } from './segment-dump.ts';
import { settle, TestLog } from './test-log.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const SEGMENT_BYTES = 4096;

class Script {
  #disk = new SimulatedDisk({ seed: 1 });
  #log: TestLog | undefined;

  async run(command: string): Promise<string[]> {
    const [name, ...words] = command.split(' ');
    switch (name) {
      case 'create':
        this.#log = await TestLog.create({ segmentBytes: SEGMENT_BYTES }, this.#disk);
        return [];
      case 'put':
        for (const word of words) this.#open.put(expand(word));
        await this.#open.log.flush();
        return [];
      case 'note':
        for (const word of words) this.#open.note(expand(word));
        await this.#open.log.flush();
        return [];
      case 'idle':
        await settle();
        this.#open.clock.advance(100);
        await settle();
        return [];
      case 'close':
        await this.#open.log.close();
        return [];
      case 'lose-power':
        this.#disk = this.#disk.losePower();
        return [];
      case 'open':
        return this.#replay(Number(words[0] ?? 0));
      case 'tear':
        return this.#tear(Number(words[0]), words[1] ?? '');
      case 'flip':
        return this.#damage((bytes) => {
          const offset = Number(words[0]);
          bytes[offset] = (bytes[offset] ?? 0) ^ 1;
        });
      case 'remove':
        await this.#open.log.removeBefore(Number(words[0]));
        return segmentPaths(this.#disk);
      case 'dump':
        return dumpLog(this.#disk);
      default:
        throw new Error(`there is no command "${command}"`);
    }
  }

  get #open(): TestLog {
    if (this.#log === undefined) throw new Error('no log is open');
    return this.#log;
  }

  async #replay(afterRevision: number): Promise<string[]> {
    try {
      this.#log = await TestLog.open(this.#disk, { segmentBytes: SEGMENT_BYTES }, afterRevision);
    } catch (error) {
      return [String(error)];
    }
    const { replayed, torn, log } = this.#log;
    const lines = replayed.map((text) => `  ${abbreviate(text)}`);
    if (torn !== undefined) lines.push(`cut off: ${torn.bytes} bytes of ${torn.file} from ${torn.offset} on`);
    return [...lines, `revision ${log.lastRevision}`];
  }

  #tear(byteCount: number, replacement: string): Promise<string[]> {
    return this.#damage((bytes) => {
      const end = framesOf(bytes).at(-1)?.end ?? 0;
      bytes.fill(0, end - byteCount);
      bytes.set(Buffer.from(replacement), end - byteCount);
    });
  }

  /** Changes the newest segment. */
  async #damage(change: (bytes: Uint8Array) => void): Promise<string[]> {
    const path = (await segmentPaths(this.#disk)).at(-1) ?? '';
    const bytes = this.#disk.contentOf(path);
    change(bytes);
    this.#disk.setContent(path, bytes);
    return [];
  }
}

/** "x*300" stands for 300 times x. */
function expand(word: string): string {
  const [text = '', times] = word.split('*');
  return times === undefined ? text : text.repeat(Number(times));
}

describe('the log does what the script says:', () => {
  for (const file of readdirSync(FOLDER)) {
    it(file, async () => {
      const path = join(FOLDER, file);
      const script = new Script();
      const output: string[] = [];
      for (const line of readFileSync(path, 'utf8').split('\n')) {
        if (line.startsWith('#') || (line === '' && output.at(-1) !== '')) output.push(line);
        if (line.startsWith('> ')) output.push(line, ...(await script.run(line.slice(2))));
      }
      await expect(output.join('\n').trimEnd() + '\n').toMatchFileSnapshot(path);
    });
  }
});
