/** Clients that wait for a key, where what serves one can't be committed. */
import { expect, test } from 'vitest';
import { StoreError } from '../../../../src/errors.ts';
import type { Seam } from '../../../../src/store/seam.ts';
import { toKeyText } from '../../../../src/store/views/keys.ts';
import type { PlannedChange } from '../../../../src/store/views/planned-change.ts';
import type { View } from '../../../../src/store/views/view.ts';
import type { Command } from '../../../../src/server/redis/commands/command.ts';
import type { CommandRunner } from '../../../../src/server/redis/commands/run-command.ts';
import type { RunningCall } from '../../../../src/server/redis/commands/running-call.ts';
import { BlockedClients } from '../../../../src/server/redis/connection/blocked-clients.ts';
import { ReplyWriter } from '../../../../src/server/redis/protocol/reply-writer.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const KEY = Buffer.from('queue');

test('one whose decision finds no room is served once, later, and by one reply', async () => {
  const view = {
    // It has changed something.
    revision: 0,
    replyRevision: 1,
    savepoint: () => ({}),
    rollBack: () => undefined,
    budget: {},
  } as unknown as View;
  let tell: (changes: readonly PlannedChange[]) => void = () => undefined;
  const seam = {
    onCommitted: (listen: typeof tell) => {
      tell = listen;
      return () => undefined;
    },
    // The log has no room for what the first one has changed.
    queueDecide: (run: (view: View) => void, onFailure: (error: unknown) => void) => {
      run(view);
      onFailure(new StoreError('limitReached', 'the log is full'));
    },
    decide: (run: (view: View) => void) => {
      run(view);
    },
  } as unknown as Seam;
  const runner = {
    tryWithin: (_view: View, _command: Command, call: RunningCall) => {
      call.reply.simple('popped');
      call.notify('l', 'lpop', KEY);
      return undefined;
    },
  } as unknown as CommandRunner;
  const clock = new ManualClock();
  const clients = new BlockedClients(seam, clock, runner, { spend: () => undefined });
  const reply = new ReplyWriter();
  const events: string[] = [];
  const call = {
    reply,
    events,
    changed: () => undefined,
    notify: (_class: string, event: string) => void events.push(event),
  } as unknown as RunningCall;
  const served: string[] = [];
  clients.add({
    command: { name: 'blpop' } as Command,
    call,
    keys: [toKeyText(KEY)],
    version: 2,
    seesDeletion: false,
    admit: () => undefined,
    served: () => served.push(`${reply.take().toString()}${events.join()}`),
  });
  tell([{ key: KEY, deleted: false } as unknown as PlannedChange]);
  expect(served).toEqual([]);
  clients.durable();
  await clock.settled();
  expect(served).toEqual(['+popped\r\nlpop']);
});

/** Clients that wait for one key, and a budget for `triesMax` of them in each decision. The key does not change but for `change`. */
function crowd(triesMax: number) {
  let spent = 0;
  let decisionsLeft = 50;
  const view = {
    revision: 0,
    replyRevision: 0,
    savepoint: () => ({}),
    rollBack: () => undefined,
    budget: {
      get isSpent() {
        return spent >= triesMax;
      },
      visitsSpent: 0,
      bytesSpent: 0,
    },
  } as unknown as View;
  let tell: (changes: readonly PlannedChange[]) => void = () => undefined;
  const decide = (run: (view: View) => void): void => {
    // What goes on for ever ends here, and is seen by its tries.
    if (decisionsLeft-- === 0) throw new StoreError('closed', 'the store is closed');
    spent = 0;
    run(view);
  };
  const seam = {
    onCommitted: (listen: typeof tell) => {
      tell = listen;
      return () => undefined;
    },
    queueDecide: (run: (view: View) => void, onFailure: (error: unknown) => void) => {
      try {
        decide(run);
      } catch (error) {
        onFailure(error);
      }
    },
    decide,
  } as unknown as Seam;
  const tried: string[] = [];
  const served: string[] = [];
  const vain = new Set<string>();
  const runner = {
    tryWithin: (_view: View, { name }: Command) => {
      if (spent >= triesMax) throw new StoreError('limitReached', 'the budget is spent');
      spent++;
      tried.push(name);
      return vain.has(name) ? {} : undefined;
    },
  } as unknown as CommandRunner;
  const clock = new ManualClock();
  const clients = new BlockedClients(seam, clock, runner, { spend: () => undefined });
  const add = (name: string, isVain: boolean): void => {
    if (isVain) vain.add(name);
    clients.add({
      command: { name } as Command,
      call: { reply: new ReplyWriter(), events: [], changed: () => undefined } as unknown as RunningCall,
      keys: [toKeyText(KEY)],
      version: 2,
      seesDeletion: false,
      admit: () => undefined,
      served: () => served.push(name),
    });
  };
  const change = (): Promise<void> => {
    tell([{ key: KEY, deleted: false } as unknown as PlannedChange]);
    return clock.settled();
  };
  return { add, change, tried, served };
}

test('those that are tried in vain are tried once for each change, in as many turns as it takes', async () => {
  const { add, change, tried, served } = crowd(2);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) add(name, true);
  await change();
  expect(tried).toEqual(names);
  await change();
  expect(tried).toEqual([...names, ...names]);
  expect(served).toEqual([]);
});

test('one behind many that are tried in vain is served', async () => {
  const { add, change, tried, served } = crowd(2);
  for (const name of ['a', 'b', 'c', 'd', 'e']) add(name, true);
  add('f', false);
  add('g', true);
  await change();
  expect(served).toEqual(['f']);
  expect(tried).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
});
