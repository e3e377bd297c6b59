/** Connections are open files, of which a process may have so many: some of them are the store's. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { type ServerLimits, limitOptionName, serverFixed } from '../../limits.ts';

/**
 * The limits with no more connections than there are files to open, less a reserve: idle clients must not take the
 * descriptors that the store needs, for its next segment for instance.
 * @param portCount each port may have so many connections.
 */
export function withinOpenFiles(
  limits: ServerLimits,
  filesMax: number,
  portCount: number,
  logger: Logger,
): ServerLimits {
  const { openFilesReserve, openFilesReserveShareMax } = serverFixed;
  const reserve = Math.min(openFilesReserve, Math.floor(filesMax * openFilesReserveShareMax));
  const connectionsMax = Math.max(1, Math.floor((filesMax - reserve) / portCount));
  if (limits.connectionsMax <= connectionsMax) return limits;
  logger.warn(
    { connectionsMax, wanted: limits.connectionsMax, openFilesMax: filesMax },
    `--${limitOptionName('connectionsMax')} is lowered: the process may not have enough files open (ulimit -n)`,
  );
  return { ...limits, connectionsMax };
}

/**
 * The files and connections that this process may have open: the soft limit, which Node has raised to the hard one when it
 * started. `Infinity`: there is no limit, or none that is known.
 */
export function openFilesMax(): number {
  const limit = Number(softLimitOfLinux() ?? softLimitOfReport());
  return Number.isSafeInteger(limit) && limit > 0 ? limit : Infinity;
}

/** See proc(5), `/proc/pid/limits`. */
function softLimitOfLinux(): string | undefined {
  try {
    return /^Max open files +(\w+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/** What Node knows on every POSIX system; it takes some milliseconds to say. */
function softLimitOfReport(): unknown {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  return report.userLimits?.open_files?.soft;
}
