/** What a store tells its operator, as lines of the server's log. */
import type { Logger } from 'pino';
import { limitOptionName } from '../../limits.ts';
import type { RecoveryProgress } from '../../store/recovery/recovery-context.ts';
import type { OperatorEvent } from '../../store/operator-event.ts';

/** @param isOpenedAgain of a node of a cluster, or a server that follows another one: its store is, whatever has ended it. */
export function logOperatorEvent(logger: Logger, event: OperatorEvent, isOpenedAgain: boolean): void {
  switch (event.kind) {
    case 'recovered': {
      const { kind: _, durationMs, timeMs, ...fields } = event;
      const newest = timeMs === 0 ? {} : { newestTime: new Date(timeMs).toISOString() };
      return logger.info({ ...fields, ...newest, durationMs: Math.round(durationMs) }, 'recovered');
    }
    case 'clockBehind':
      return logger.warn(
        { behindMs: event.behindMs },
        'the clock is behind the newest write: times to live count on from that',
      );
    case 'tornTailCut': {
      const { file, offset, bytes } = event;
      return logger.warn({ file, offset, bytes }, 'cut off the end of a write that was never acknowledged');
    }
    case 'locksMissing':
      return logger.warn(
        { waitMs: event.waitMs },
        'the lock files of the store are gone: waiting for as long as another process that has it needs to notice',
      );
    case 'snapshotDamaged':
      return logger.error(
        { revision: event.revision, err: event.error },
        'a snapshot is damaged; an older one and the log serve instead',
      );
    case 'snapshotWritten': {
      const { revision, bytes, durationMs } = event;
      return logger.info({ revision, bytes, durationMs: Math.round(durationMs) }, 'snapshot written');
    }
    case 'snapshotFailed':
      return logger.error({ revision: event.revision, err: event.error }, 'a snapshot could not be written');
    case 'checkpointWritten': {
      const { revision, bytes, durationMs } = event;
      return logger.info({ revision, bytes, durationMs: Math.round(durationMs) }, 'checkpoint written');
    }
    case 'checkpointFailed':
      return logger.error(
        { revision: event.revision, err: event.error },
        'a checkpoint of the engine could not be written; tried again soon',
      );
    case 'mergeFailed':
      return logger.warn({ err: event.error }, 'files of the engine could not be merged; tried again later');
    case 'storageUnsettled':
      return logger.warn(
        { err: event.error },
        'the disk is full: the files of the engine are served, and none is removed until a checkpoint has room',
      );
    case 'storageDamaged':
      return logger.error(
        { err: event.error },
        'a file of the engine is damaged: what needs it is refused; take a backup of what can be read, or restore one',
      );
    case 'readFailed':
      return logger.error(
        { err: event.error },
        'files of the store could not be read: what needs them is refused, and may be tried again; see to the disk',
      );
    case 'memoryFull': {
      const { usedBytes, limitBytes } = event;
      return logger.error(
        { usedBytes, limitBytes },
        'the memory limit is reached: writes are refused; delete keys, or raise --' +
          limitOptionName('memoryBytesMax'),
      );
    }
    case 'listenerFailed':
      return logger.error({ err: event.error }, 'a part of the server failed as it was told of a change');
    case 'cleanupFailed':
      return logger.warn({ err: event.error }, 'old files could not be removed; tried again later');
    case 'segmentDelayed': {
      const { segmentBytes, error } = event;
      return logger.error(
        { segmentBytes, err: error },
        'the log could not grow: it goes on in what it has, and tries again',
      );
    }
    case 'overtaken':
      // Its node tells of it, and why.
      return;
    case 'ownershipLost':
    case 'storageFailed': {
      const { ends, goesOn } = failures[event.kind];
      if (isOpenedAgain) return logger.error({ err: event.error }, goesOn);
      return logger.fatal({ err: event.error }, ends);
    }
  }
}

/** What has ended a store: of one that stays so, and of one that is opened again. */
const failures = {
  ownershipLost: {
    ends: 'the data directory was taken away: no write is accepted until the server is started again',
    goesOn:
      'the data directory was taken away: the store is closed, and opened again as soon as that goes, as a follower; this server is not ready until then',
  },
  storageFailed: {
    ends: 'the disk failed: no write is accepted until the server is started again',
    goesOn:
      'the disk failed: the store is closed, and opened again as soon as that goes, as a follower; this server is not ready until then',
  },
} as const;

/** A long recovery says how far it is, this often. */
const PROGRESS_INTERVAL_MS = 2000;

/** Logs the progress of a recovery that takes longer than the interval between two of its lines. */
export function recoveryLog(logger: Logger): (progress: RecoveryProgress) => void {
  let loggedMs = performance.now();
  return (progress) => {
    const nowMs = performance.now();
    if (nowMs - loggedMs < PROGRESS_INTERVAL_MS) return;
    loggedMs = nowMs;
    const percent = Math.floor((100 * progress.doneBytes) / Math.max(1, progress.totalBytes));
    logger.info({ ...progress, percent }, 'recovering');
  };
}
