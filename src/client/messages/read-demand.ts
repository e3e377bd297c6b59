/** How new a read must be, as each request says it that reads. */
import { Consistency as ConsistencyNumber } from '../../../gen/kelp/v1/types_codec.ts';
import type { Consistency, ReadCallOptions } from './types.ts';

/** The fields of such a request. */
export interface ReadDemand {
  readonly consistency: number;
  readonly minRevision: number;
}

/** A request before it is said how new what it reads must be: `Caller.demand` says that. */
export type Undemanded<Request extends ReadDemand> = Omit<Request, keyof ReadDemand>;

/** What a client asks for where a read has no options of its own. */
export type DemandDefaults = Pick<ReadCallOptions, 'consistency' | 'minRevision'>;

const numberByConsistency: Readonly<Record<Consistency, number>> = {
  linearizable: ConsistencyNumber.LINEARIZABLE,
  local: ConsistencyNumber.LOCAL,
};

/** As a write has it, whose message may also be a read. */
export const NO_DEMAND: ReadDemand = { consistency: ConsistencyNumber.UNSPECIFIED, minRevision: 0 };

export function toReadDemand(options: DemandDefaults, defaults: DemandDefaults): ReadDemand {
  const consistency = options.consistency ?? defaults.consistency;
  const minRevision = options.minRevision ?? defaults.minRevision ?? 0;
  if (consistency === undefined && minRevision === 0) return NO_DEMAND;
  return {
    consistency: consistency === undefined ? ConsistencyNumber.UNSPECIFIED : numberByConsistency[consistency],
    minRevision,
  };
}
