/** What can be wrong with a client, and which script of the conformance script finds it. */
import type { Subject } from './steps.ts';

export type Fault =
  | 'repeats an event'
  | 'leaves out an event'
  | 'goes on with another store'
  | 'repeats a write'
  | 'tells no lost lease'
  | 'tells no lost lock'
  | 'writes without the guard';

export interface FoundBy {
  readonly subject: Subject;
  /** What its name begins with. */
  readonly script: string;
  /** What the failure says. */
  readonly told: RegExp;
}

export const FAULTS: Readonly<Record<Fault, FoundBy>> = {
  'repeats an event': {
    subject: 'watch',
    script: 'a watch goes on over a stop',
    told: /ok\.events\[0\]\.key is "k2"; expected "k3"/,
  },
  'leaves out an event': {
    subject: 'watch',
    script: 'a watch goes on over a stop',
    told: /ok\.events\[0\]\.key is "k5"; expected "k3"|no answer came/,
  },
  'goes on with another store': {
    subject: 'watch',
    script: 'a watch does not go on with another store',
    told: /error is missing|no answer came/,
  },
  'repeats a write': {
    subject: 'effects',
    script: 'a write whose answer was lost with kill -9',
    told: /error is missing.*\n.*"value":"3"/,
  },
  'tells no lost lease': {
    subject: 'leases',
    script: 'a lease that can',
    told: /no answer came/,
  },
  'tells no lost lock': {
    subject: 'locks',
    script: 'a lock whose server is gone',
    told: /no answer came/,
  },
  'writes without the guard': {
    subject: 'locks',
    script: 'a lock has one holder at a time',
    told: /ok\.succeeded is true; expected false/,
  },
};

export function faultOf(name: string | undefined): Fault {
  const fault = (Object.keys(FAULTS) as Fault[]).find((each) => each === name);
  if (fault === undefined) throw new Error(`there is no fault ${name}`);
  return fault;
}
