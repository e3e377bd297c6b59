/** The guard of web pages as a server has it that allows none. */
import { pino } from 'pino';
import { CallMeter } from '../../../src/server/metrics/calls/call-meter.ts';
import { PageRefusal } from '../../../src/server/web/page-refusal.ts';
import { WebGuard } from '../../../src/server/web/web-guard.ts';

export const pageRefusal = new PageRefusal(
  new WebGuard({ corsOrigins: [], ownHosts: [] }),
  pino({ level: 'silent' }),
  new CallMeter('http', 'other'),
);
