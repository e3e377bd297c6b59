/** Options that several commands of data types have. */
import { Option } from 'commander';
import { duration, wholeNumber } from '../../command-line/argument.ts';

export function ttlOption(): Option {
  return new Option('--ttl <time>', 'how long a key that this creates shall live').argParser(duration);
}

export function revisionOption(): Option {
  return new Option('--revision <revision>', 'as it was at this revision').argParser(wholeNumber);
}

export function refreshOption(): Option {
  return new Option('--refresh-ttl', "start the key's own time to live anew").conflicts([
    'revision',
    'consistency',
  ]);
}

export function limitOption(): Option {
  return new Option('--limit <count>', 'stop after this many').argParser(wholeNumber);
}

export function countOption(): Option {
  return new Option('--count <count>', 'how many; default: 1').argParser(wholeNumber);
}

export function storeOption(): Option {
  return new Option(
    '--store <key>',
    'put the result there, in place of what it held, and tell how much it is',
  );
}
