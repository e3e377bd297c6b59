/**
 * A disk in memory that fails as real ones do, repeatably: the same seed, calls and schedule give the same faults.
 *
 * A loss of power (`losePower`) may, for what no `sync` has made durable:
 *
 * - lose a write, keep it, tear it at any byte, or keep any of its 512-byte sectors or 4 KiB pages and lose others;
 *   each write by itself, so that a later one may survive an earlier one, in one file or over several;
 * - keep the new length of a file without the bytes (a tail of zeros is read), or the bytes without the new length (they
 *   are cut off);
 * - and, without `syncDirectory`, lose or keep each creation, renaming and removal by itself: a renamed file may be found
 *   under its old name, its new one, or (when its creation is lost too) under none.
 *
 * A write at once (`writeNow`) is one of these as any other, from the moment it returns. A read at once (`readNow`) fails as any other
 * read does, and sees what has been written until then.
 *
 * The end of the process (`endProcess`) loses nothing that was written, but a write under way may be there up to any
 * byte. Both give locks back. Both return the disk as the next process finds it; on the old one every call rejects from
 * then on, so that what the dead process still tries has no effect.
 *
 * While it runs (`injectFault`) the Nth call, of one kind or of all, for one file or for all, or each call from the Nth
 * on, fails with any code: `failed` for EIO, `noSpace` for ENOSPC. What a call has done that fails is chosen or left to
 * chance:
 *
 * - a failed write has written nothing, all, or the bytes up to any (a short write);
 * - a failed sync has made each write durable, or left it pending, or dropped it for good though it is still read, so
 *   that a later sync which succeeds does not bring it back;
 * - a failed creation, renaming or removal has happened or not.
 *
 * It may be full (`limitSpace`): then a write that would make a file longer than there is space for writes what has room, and
 * fails with `noSpace`. One within the length of a file needs none.
 *
 * It does not: change durable bytes by itself (see `setContent`), lose folders, tear a name, or return short reads
 * before the end of a file.
 *
 * It also holds the caller to the contract: a buffer that changes while a write is under way fails the write.
 */
import { posix } from 'node:path';
import type { Disk, DiskDirectory, DiskFile, DiskLock } from '../../src/disk/disk.ts';
import { SeededRandom } from './random.ts';
import { inOrder } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { SimulatedDirectory } from './simulated-directory.ts';
import { failure, WaitingFaults } from './simulated-fault.ts';
import type { DiskCall, Fault, InjectedError } from './simulated-fault.ts';
import { type FileContext, SimulatedFile, type Space } from './simulated-file.ts';
import { Inode } from './simulated-inode.ts';
import type { Change } from './simulated-inode.ts';

export interface SimulatedDiskOptions {
  readonly seed: number;
  /** When calls take effect and complete; default: in the order they were made. */
  readonly schedule?: Schedule;
}

/** The chance of a pending change to survive a loss of power is the same for all of them, and one of these. */
const KEEP_PROBABILITIES = [0, 0.1, 0.5, 0.9, 1] as const;

export class SimulatedDisk implements Disk {
  readonly #schedule: Schedule;
  readonly #locked = new Set<Inode>();
  readonly #faults = new WaitingFaults();
  #random: SeededRandom;
  #space: Space = { leftBytes: Infinity };
  #nowWriteCount = 0;
  #log = new CallLog();
  #directories = new Map([['/', new SimulatedDirectory()]]);
  #isDead = false;

  constructor(options: SimulatedDiskOptions) {
    this.#random = new SeededRandom(options.seed);
    this.#schedule = options.schedule ?? inOrder;
  }

  /** A fault that waits for its call; any number may. */
  injectFault(fault: Fault): void {
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** From now on the files may grow by so much together, which nothing gives back; `Infinity` ends that. */
  limitSpace(leftBytes: number): void {
    this.#space.leftBytes = leftBytes;
  }

  /** How many writes were made at once in this life of the disk. */
  get nowWriteCount(): number {
    return this.#nowWriteCount;
  }

  /** Cuts the power. @returns the disk as it is found afterwards. */
  losePower(): SimulatedDisk {
    const random = this.#random;
    const keepProbability = random.pick(KEEP_PROBABILITIES);
    const survivorOf = once((inode) => inode.afterPowerLoss(keepProbability, random));
    return this.#end('power lost', (directory) =>
      directory.afterPowerLoss(keepProbability, random, survivorOf),
    );
  }

  /** Kills the process. @returns the disk as the next process finds it. */
  endProcess(): SimulatedDisk {
    const survivorOf = once((inode) => inode.afterProcessEnd(this.#random));
    return this.#end('process ended', (directory) => directory.afterProcessEnd(survivorOf));
  }

  /** What a reader of the file would see. */
  contentOf(path: string): Uint8Array {
    return this.#find(path).visible.bytes.slice();
  }

  /** The files of a folder that a reader would find, in the order of their names. */
  namesIn(path: string): string[] {
    return [...(this.#directories.get(posix.resolve(path))?.visible.keys() ?? [])].sort();
  }

  /** Makes these the bytes of the file, durably: for damage that comes from nowhere. The file is made if need be. */
  setContent(path: string, bytes: Uint8Array): void {
    const inode = new Inode();
    const change: Change = { position: 0, bytes, hasEnded: false };
    inode.begin(change);
    inode.end(change);
    inode.makeDurable([change]);
    const [directory, name] = this.#locate(path);
    directory.visible.set(name, inode);
    directory.durable.set(name, inode);
  }

  /** The calls so far, over all lives of the disk, and then the files with their lengths. */
  dump(): string {
    const lines = this.#log.lines();
    for (const [path, directory] of this.#directories) {
      lines.push(`${path}: ${directory.pending.length} names not durable`);
      for (const [name, inode] of directory.visible) {
        const { visible, durable, pending } = inode;
        lines.push(
          `  ${name}: ${visible.length} bytes, durable ${durable.length}, ${pending.length} changes pending`,
        );
      }
    }
    return lines.join('\n');
  }

  makeDirectory(path: string): Promise<void> {
    return this.#run('makeDirectory', path, '', (fault) => {
      if (fault !== undefined) throw fault;
      for (let part = posix.resolve(path); !this.#directories.has(part); part = posix.dirname(part)) {
        const parent = this.#directories.get(posix.dirname(part));
        if (parent?.visible.has(posix.basename(part)) === true)
          throw failure('exists', 'makeDirectory', path);
        this.#directories.set(part, new SimulatedDirectory());
      }
    });
  }

  list(path: string): Promise<string[]> {
    return this.#run('list', path, '', (fault) => {
      if (fault !== undefined) throw fault;
      const wanted = posix.resolve(path);
      const files = this.#directories.get(wanted)?.visible.keys() ?? [];
      const folders = [...this.#directories.keys()].filter(
        (key) => key !== '/' && posix.dirname(key) === wanted,
      );
      return [...files, ...folders.map((folder) => posix.basename(folder))];
    });
  }

  open(path: string, mode: 'read' | 'readWrite'): Promise<DiskFile> {
    return this.#run('open', path, mode, (fault) => {
      if (fault !== undefined) throw fault;
      return this.#handle(path, this.#find(path, 'open'), mode === 'readWrite');
    });
  }

  create(path: string): Promise<DiskFile> {
    return this.#run('create', path, '', (fault) => {
      const [directory, name] = this.#locate(path, 'create');
      if (directory.visible.has(name)) throw failure('exists', 'create', path);
      const inode = new Inode();
      this.#change(fault, () => directory.change({ kind: 'create', name, inode }));
      return this.#handle(path, inode, true);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('rename', from, `to ${to}`, (fault) => {
      const inode = this.#find(from, 'rename');
      const [directory, fromName] = this.#locate(from);
      const [toDirectory, toName] = this.#locate(to, 'rename');
      if (directory !== toDirectory) throw failure('failed', 'rename', `${from} to another folder, ${to}`);
      this.#change(fault, () => directory.change({ kind: 'rename', from: fromName, to: toName, inode }));
    });
  }

  remove(path: string): Promise<void> {
    return this.#run('remove', path, '', (fault) => {
      const directory = this.#directories.get(posix.dirname(posix.resolve(path)));
      const name = posix.basename(path);
      this.#change(fault, () => {
        if (directory?.visible.has(name) === true) directory.change({ kind: 'remove', name });
      });
    });
  }

  syncDirectory(path: string): Promise<void> {
    const changes = [...(this.#directories.get(posix.resolve(path))?.pending ?? [])];
    return this.#run('syncDirectory', path, '', (fault) => {
      const directory = this.#directories.get(posix.resolve(path));
      if (directory === undefined) throw failure('notFound', 'syncDirectory', path);
      if (fault !== undefined) {
        directory.failToMakeDurable(changes, () => fault.fateOfChange(this.#random));
        throw fault;
      }
      directory.makeDurable(changes);
    });
  }

  openDirectory(path: string): Promise<DiskDirectory> {
    return this.#run('openDirectory', path, '', (fault) => {
      if (fault !== undefined) throw fault;
      if (!this.#directories.has(posix.resolve(path))) throw failure('notFound', 'openDirectory', path);
      return { sync: () => this.syncDirectory(path), close: () => Promise.resolve() };
    });
  }

  lock(path: string): Promise<DiskLock> {
    return this.#run('lock', path, '', (fault) => {
      if (fault !== undefined) throw fault;
      const [directory, name] = this.#locate(path, 'lock');
      const inode = directory.visible.get(name) ?? new Inode();
      if (this.#locked.has(inode)) throw failure('locked', 'lock', path);
      this.#locked.add(inode);
      if (!directory.visible.has(name)) directory.change({ kind: 'create', name, inode });
      let isHeld = true;
      return {
        isHeld: async () => directory.visible.get(name) === inode,
        release: async () => {
          if (isHeld) this.#locked.delete(inode);
          isHeld = false;
        },
      };
    });
  }

  #handle(path: string, inode: Inode, isWritable: boolean): DiskFile {
    const context: FileContext = {
      random: this.#random,
      space: this.#space,
      run: (...call) => this.#run(...call),
      runNow: (...call) => this.#runNow(...call),
    };
    return new SimulatedFile(path, inode, isWritable, context);
  }

  /** Does what a call asks for; when it is to fail, does it or not, and fails. */
  #change(fault: InjectedError | undefined, change: () => void): void {
    if (fault === undefined || fault.hasHappened(this.#random)) change();
    if (fault !== undefined) throw fault;
  }

  #run<Result>(
    call: DiskCall,
    path: string,
    detail: string,
    action: (fault: InjectedError | undefined) => Result,
  ): Promise<Result> {
    const fault = this.#begin(call, path, detail);
    return new Promise((resolve, reject) => {
      this.#schedule(() => {
        try {
          // It may also have died since the call was made.
          this.#checkAlive(call, path);
          resolve(action(fault));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #runNow<Result>(
    call: DiskCall,
    path: string,
    detail: string,
    action: (fault: InjectedError | undefined) => Result,
  ): Result {
    const fault = this.#begin(call, path, detail, call === 'read');
    this.#checkAlive(call, path);
    if (call === 'write') this.#nowWriteCount++;
    return action(fault);
  }

  /** @returns what the call is to fail with. */
  #begin(call: DiskCall, path: string, detail: string, isReadNow = false): InjectedError | undefined {
    const fault = this.#isDead ? undefined : this.#faults.take(call, path, isReadNow);
    const outcome = this.#isDead ? ' by a dead process' : fault === undefined ? '' : ` fails: ${fault.code}`;
    this.#log.add(call, path, detail, outcome);
    return fault;
  }

  #checkAlive(call: DiskCall, path: string): void {
    if (this.#isDead) throw failure('failed', call, `${path}, of a dead process,`);
  }

  #end(how: string, survivorOf: (directory: SimulatedDirectory) => SimulatedDirectory): SimulatedDisk {
    if (this.#isDead) throw new Error('a disk ends once');
    this.#isDead = true;
    this.#log.add('---', how, '---', '');
    const successor = new SimulatedDisk({ seed: this.#random.seed, schedule: this.#schedule });
    successor.#random = this.#random;
    successor.#log = this.#log;
    successor.#space = this.#space;
    successor.#directories = new Map(
      [...this.#directories].map(([path, directory]) => [path, survivorOf(directory)]),
    );
    return successor;
  }

  #locate(path: string, call: DiskCall = 'open'): [SimulatedDirectory, string] {
    const absolutePath = posix.resolve(path);
    const directory = this.#directories.get(posix.dirname(absolutePath));
    if (directory === undefined) throw failure('notFound', call, path);
    return [directory, posix.basename(absolutePath)];
  }

  #find(path: string, call: DiskCall = 'open'): Inode {
    const [directory, name] = this.#locate(path, call);
    const inode = directory.visible.get(name);
    if (inode === undefined) throw failure('notFound', call, path);
    return inode;
  }
}

/** The calls of the disk in all its lives; the newest of them. */
class CallLog {
  static readonly callsMax = 10_000;
  #calls: (readonly string[])[] = [];
  /** Those that are no longer kept. */
  #droppedCount = 0;

  add(call: string, path: string, detail: string, outcome: string): void {
    this.#calls.push([call, path, detail, outcome]);
    if (this.#calls.length <= 2 * CallLog.callsMax) return;
    this.#droppedCount += CallLog.callsMax;
    this.#calls = this.#calls.slice(CallLog.callsMax);
  }

  lines(): string[] {
    const newest = this.#calls.slice(-CallLog.callsMax);
    const before = this.#droppedCount + this.#calls.length - newest.length;
    return newest.map(
      ([call, path, detail, outcome], index) => `${before + index + 1} ${call} ${path} ${detail}${outcome}`,
    );
  }
}

/** A file that has two names, before and after, is still one file. */
function once(survivorOf: (inode: Inode) => Inode): (inode: Inode) => Inode {
  const survivors = new Map<Inode, Inode>();
  return (inode) => {
    const survivor = survivors.get(inode) ?? survivorOf(inode);
    survivors.set(inode, survivor);
    return survivor;
  };
}
