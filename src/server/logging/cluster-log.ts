/** What a node of a cluster tells its operator, as lines of the server's log. */
import type { Logger } from 'pino';
import type { ClusterEvent } from '../../cluster/cluster-event.ts';
import type { Followed } from '../../store/replication/replication.ts';

/** Of one node, from its opening to its end. Of what others are at fault for there is no stack trace. */
export class ClusterLog {
  readonly #logger: Logger;
  readonly #follows: Followed;
  #hasHandedOver = false;

  constructor(logger: Logger, follows: Followed = 'sharedLog') {
    this.#logger = logger;
    this.#follows = follows;
  }

  happened(event: ClusterEvent): void {
    // That another node writes is what was wanted.
    if (event.kind === 'overtaken' && this.#hasHandedOver) return;
    this.#hasHandedOver ||= event.kind === 'handedOver';
    logClusterEvent(this.#logger, event, textsBySource[this.#follows]);
  }
}

interface SourceTexts {
  readonly lagging: string;
  readonly caughtUp: string;
  readonly missedTrim: string;
  readonly snapshotFetched: string;
  readonly fetchFailed: string;
}

const textsBySource: Readonly<Record<Followed, SourceTexts>> = {
  sharedLog: {
    lagging: 'this node falls behind the shared log',
    caughtUp: 'this node has caught up with the shared log',
    missedTrim:
      'the shared log was trimmed behind what this node needs next: it gets a snapshot from another node',
    snapshotFetched: 'got a snapshot from another node',
    fetchFailed: 'could not get a snapshot from another node; tried again',
  },
  server: {
    lagging: 'this server falls behind the one that it follows',
    caughtUp: 'this server has caught up with the one that it follows',
    missedTrim:
      'the log of the server that is followed does not have all that comes next here: a snapshot is got',
    snapshotFetched: 'got a snapshot of the server that is followed',
    fetchFailed: 'could not get a snapshot of the server that is followed; tried again',
  },
};

function logClusterEvent(logger: Logger, event: ClusterEvent, texts: SourceTexts): void {
  switch (event.kind) {
    case 'tookOver': {
      const { epoch, position } = event;
      return logger.info(
        { epoch, position },
        'this node has taken over: it is the writer of the cluster now',
      );
    }
    case 'overtaken':
      return logger.warn(
        { why: event.error.message },
        'another node has taken over, since this one was not heard of: writes that wait here may have been made or not',
      );
    case 'diskStalled':
      return logger.error(
        { stalledMs: event.stalledMs },
        'the disk of this node takes nothing: it is the writer no more, so that another node takes over, and is opened again once its disk answers; ' +
          'writes that wait here may have been made or not',
      );
    case 'handedOver':
      return logger.info(
        { epoch: event.epoch },
        'handed over: another node takes over as the writer of the cluster',
      );
    case 'writerChanged': {
      const { epoch, writerAddress } = event;
      if (writerAddress !== '')
        return logger.info({ epoch, writerAddress }, 'the cluster has another writer');
      return logger.info({ epoch }, 'the writer of the cluster has handed over: a node takes its place now');
    }
    case 'lagging': {
      const { position, logPosition, lagMs } = event;
      return logger.warn({ position, logPosition, lagMs: Math.round(lagMs) }, texts.lagging);
    }
    case 'caughtUp': {
      const { position, lagMs } = event;
      return logger.info({ position, lagMs: Math.round(lagMs) }, texts.caughtUp);
    }
    case 'missedTrim': {
      const { position, firstPosition } = event;
      return logger.warn({ position, firstPosition }, texts.missedTrim);
    }
    case 'stateDamaged':
      return logger.error(
        { why: event.error.message },
        'what this node has on its disk is damaged: it gets its state from the others anew',
      );
    case 'snapshotFetched': {
      const { address, revision, bytes } = event;
      return logger.info({ address, revision, bytes }, texts.snapshotFetched);
    }
    case 'fetchFailed':
      return logger.warn({ address: event.address, why: event.error.message }, texts.fetchFailed);
    case 'logUnreachable':
      return logger.error(
        { why: event.error.message },
        'the shared log does not answer: writes and reads wait, but for those that are local',
      );
    case 'logReachable':
      return logger.info({ afterMs: Math.round(event.afterMs) }, 'the shared log answers again');
    case 'logTrimmed':
      if (event.failureCount === 0)
        return logger.debug({ before: event.before }, 'the shared log was trimmed');
      return logger.info(
        { before: event.before, failureCount: event.failureCount },
        'the shared log could be trimmed again',
      );
    case 'trimFailed':
      return logger.warn(
        { why: event.error.message },
        'the shared log could not be trimmed; tried again later',
      );
    case 'logNearlyFull': {
      const { bytes, bytesMax, why } = event;
      return logger.warn({ bytes, bytesMax, why }, 'the shared log is nearly as long as it may be');
    }
    case 'logFull': {
      const { bytes, bytesMax, why } = event;
      return logger.error(
        { bytes, bytesMax, why },
        'the shared log is as long as it may be: writes are refused',
      );
    }
    case 'serverUnreachable':
      return logger.error(
        { address: event.address, why: event.error.message },
        'the server that is followed is not reached: reads wait, but for those that are local',
      );
    case 'serverRefused':
      return logger.error(
        { address: event.address, why: event.error.message },
        'the server that is to be followed can not be: reads are refused, but for those that are local',
      );
    case 'serverReachable':
      return logger.info(
        { address: event.address, afterMs: Math.round(event.afterMs) },
        'the server is followed',
      );
    case 'reportFailed':
      return logger.warn(
        { address: event.address, why: event.error.message },
        'the writer could not be told how far this node is; tried again',
      );
  }
}
