/** Requests of HTTP at the port of Redis, whose bodies a web page may have filled with commands. */
import type { Arguments } from '../commands/command.ts';

/** Whether what is no command is a line of HTTP, such as each request has: then nothing behind it may be run. */
export function isOfHttp(args: Arguments): boolean {
  return args.is(0, 'POST') || args.is(0, 'HOST:');
}
