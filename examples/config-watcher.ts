/**
 * Configuration that is always the newest: read once, then kept up to date by a watch that survives restarts of the
 * server and broken connections. Run it beside a server, `npm run example examples/config-watcher.ts`, and change
 * something: `kelp put config/theme dark`. Ctrl-C ends it.
 */
import { type KelpClient, createClient } from 'kelpdb/client';

type Config = ReadonlyMap<string, string>;

/** Calls `onChange` with the whole configuration: as it is now, and after each change. Ends when `signal` is aborted. */
async function watchConfig(
  client: KelpClient,
  prefix: string,
  onChange: (config: Config) => void,
  signal: AbortSignal,
): Promise<void> {
  const config = new Map<string, string>();
  const watch = client.watch({
    ranges: [{ prefix }],
    includeCurrent: true,
    // The server was away for longer than it keeps changes, or came back with a restored backup: begin anew.
    restartWhenLost: true,
    signal,
    onInterrupted: (error) => console.error('interrupted:', error.message),
    onResumed: () => console.error('resumed'),
  });
  let isSynced = false;
  for await (const message of watch) {
    switch (message.kind) {
      case 'restarted':
        // What has come so far is void. `onChange` waits until all of the present state is here again.
        config.clear();
        isSynced = false;
        break;
      case 'current':
        for (const entry of message.entries) config.set(entry.key.slice(prefix.length), entry.text());
        break;
      case 'synced':
        isSynced = true;
        onChange(config);
        break;
      case 'events':
        // All changes of one transaction come together, so half of one is never seen.
        for (const event of message.events) {
          if (event.type === 'delete') config.delete(event.key.slice(prefix.length));
          else if (event.type === 'put') config.set(event.entry.key.slice(prefix.length), event.entry.text());
        }
        if (isSynced) onChange(config);
        break;
      case 'progress':
      case 'compacted':
        break;
    }
  }
}

const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());
process.once('SIGTERM', () => stopping.abort());

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });

await watchConfig(
  client,
  'config/',
  (config) => console.log(JSON.stringify(Object.fromEntries(config))),
  stopping.signal,
);
