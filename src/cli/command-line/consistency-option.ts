/** The option of commands that read: how new what they show must be. `SessionRunner` gives it to the client, for all reads of the command. */
import { Option } from 'commander';

export function consistencyOption(): Option {
  return new Option(
    '--consistency <kind>',
    'linearizable: all that was acknowledged; local: what the server has, also when its cluster does not answer. Default: linearizable',
  ).choices(['linearizable', 'local']);
}
