/** The names in one folder of the simulated disk: what is seen, what is durable, and the changes in between. */
import type { SeededRandom } from './random.ts';
import type { ChangeFate } from './simulated-fault.ts';
import type { Inode } from './simulated-inode.ts';

type Names = Map<string, Inode>;

type NameChange =
  | { readonly kind: 'create'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: 'remove'; readonly name: string };

export class SimulatedDirectory {
  readonly visible: Names;
  readonly durable: Names;
  pending: NameChange[];

  constructor(visible: Names = new Map(), durable: Names = new Map(), pending: NameChange[] = []) {
    this.visible = visible;
    this.durable = durable;
    this.pending = pending;
  }

  change(change: NameChange): void {
    apply(this.visible, change);
    this.pending.push(change);
  }

  makeDurable(changes: readonly NameChange[]): void {
    for (const change of changes) apply(this.durable, change);
    this.#settle(changes);
  }

  /** What a failed flush of the names leaves. */
  failToMakeDurable(changes: readonly NameChange[], fateOf: () => ChangeFate): void {
    const settled = changes.filter((change) => {
      const fate = fateOf();
      // There is no half of a name.
      if (fate === 'durable' || fate === 'torn') apply(this.durable, change);
      return fate !== 'pending';
    });
    this.#settle(settled);
  }

  /** The folder after a loss of power; `survivorOf` gives what became of each file. */
  afterPowerLoss(
    keepProbability: number,
    random: SeededRandom,
    survivorOf: (inode: Inode) => Inode,
  ): SimulatedDirectory {
    const names = new Map(this.durable);
    for (const change of this.pending) {
      if (random.chance(keepProbability)) apply(names, change);
    }
    const survivors = mapInodes(names, survivorOf);
    return new SimulatedDirectory(survivors, new Map(survivors));
  }

  afterProcessEnd(survivorOf: (inode: Inode) => Inode): SimulatedDirectory {
    const pending = this.pending.map((change) =>
      change.kind === 'remove' ? change : { ...change, inode: survivorOf(change.inode) },
    );
    return new SimulatedDirectory(
      mapInodes(this.visible, survivorOf),
      mapInodes(this.durable, survivorOf),
      pending,
    );
  }

  #settle(changes: readonly NameChange[]): void {
    const settled = new Set(changes);
    this.pending = this.pending.filter((change) => !settled.has(change));
  }
}

function apply(names: Names, change: NameChange): void {
  switch (change.kind) {
    case 'create':
      names.set(change.name, change.inode);
      break;
    case 'rename':
      // After a crash the old name may never have been made durable, or be another file's.
      if (names.get(change.from) === change.inode) names.delete(change.from);
      names.set(change.to, change.inode);
      break;
    case 'remove':
      names.delete(change.name);
      break;
  }
}

function mapInodes(names: Names, survivorOf: (inode: Inode) => Inode): Names {
  return new Map([...names].map(([name, inode]) => [name, survivorOf(inode)]));
}
