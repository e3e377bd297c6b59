/** SETTINGS of the peer (RFC 9113, section 6.5): what its values may be. */
import { http2 } from '../../limits.ts';
import { errorCode } from '../contract/error-code.ts';
import {
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_MAX,
  SETTING_BYTES,
  WINDOW_MAX,
  readWord,
  setting,
} from './frame.ts';
import { Violation } from './violation.ts';

/** Those of one frame that matter here; the last one of a kind counts. */
export interface PeerSettings {
  headerTableSize: number | undefined;
  /** The smallest that came: it has to be confirmed, though a larger one follows. RFC 7541, section 4.2. */
  headerTableSizeMin: number | undefined;
  maxConcurrentStreams: number | undefined;
  initialWindowSize: number | undefined;
}

/** @param mayPush whether the peer may allow that something is pushed to it: a server may not. */
export function readSettings(buffer: Buffer, from: number, to: number, mayPush: boolean): PeerSettings {
  if ((to - from) % SETTING_BYTES !== 0) {
    throw new Violation(errorCode.FRAME_SIZE_ERROR, 'the length of SETTINGS is no multiple of 6');
  }
  if (to - from > http2.settingsEntriesMax * SETTING_BYTES) {
    throw new Violation(
      errorCode.ENHANCE_YOUR_CALM,
      `SETTINGS with more than ${http2.settingsEntriesMax} entries`,
    );
  }
  const settings: PeerSettings = {
    headerTableSize: undefined,
    headerTableSizeMin: undefined,
    maxConcurrentStreams: undefined,
    initialWindowSize: undefined,
  };
  for (let at = from; at < to; at += SETTING_BYTES) {
    readSetting(settings, (buffer[at]! << 8) | buffer[at + 1]!, readWord(buffer, at + 2), mayPush);
  }
  return settings;
}

function readSetting(settings: PeerSettings, id: number, value: number, mayPush: boolean): void {
  switch (id) {
    case setting.HEADER_TABLE_SIZE:
      settings.headerTableSize = value;
      settings.headerTableSizeMin = Math.min(value, settings.headerTableSizeMin ?? value);
      break;
    case setting.ENABLE_PUSH:
      if (value > (mayPush ? 1 : 0)) {
        throw new Violation(errorCode.PROTOCOL_ERROR, `SETTINGS_ENABLE_PUSH can't be ${value}`);
      }
      break;
    case setting.MAX_CONCURRENT_STREAMS:
      settings.maxConcurrentStreams = value;
      break;
    case setting.INITIAL_WINDOW_SIZE:
      if (value > WINDOW_MAX) {
        throw new Violation(
          errorCode.FLOW_CONTROL_ERROR,
          `SETTINGS_INITIAL_WINDOW_SIZE can't be ${value}, which is more than 2^31 - 1`,
        );
      }
      settings.initialWindowSize = value;
      break;
    case setting.MAX_FRAME_SIZE:
      if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_MAX) {
        throw new Violation(
          errorCode.PROTOCOL_ERROR,
          `SETTINGS_MAX_FRAME_SIZE can't be ${value}: it goes from 2^14 to 2^24 - 1`,
        );
      }
      // Frames are not made longer than any peer takes.
      break;
    // Section 6.5.2: one that is not known, or asks for nothing, as the size of header lists, is passed over.
    default:
  }
}
