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
