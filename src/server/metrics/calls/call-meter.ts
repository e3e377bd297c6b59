/**
 * What is counted of the calls of one method through one door: plain numbers, fed where a call ends. The meter hangs on what is
 * known of the route, so no call looks for it; a call makes no garbage here.
 */
import { type GrpcCode, grpcCode } from '../../../grpc-code.ts';
import { serverFixed } from '../../../limits.ts';
import { Histogram } from '../histogram.ts';
import type { Door } from './routes.ts';
import { statusClasses } from './routes.ts';

const CODE_COUNT = Object.keys(grpcCode).length;
const MS_PER_SECOND = 1000;

export class CallMeter {
  readonly door: Door;
  readonly method: string;
  /** Calls that were begun, streams that are open included. */
  begunCount = 0;
  /** By code. */
  readonly countByCode = new Float64Array(CODE_COUNT);
  /** Replies of HTTP by the class of their status, from 1xx on. */
  readonly countByStatusClass = new Float64Array(statusClasses.length);
  /** Of bodies: messages with what their protocol puts before each, compressed as they come and go. Fed as they do. */
  receivedBytes = 0;
  sentBytes = 0;
  /** In seconds; of calls with one request and one reply. */
  readonly durations = new Histogram(serverFixed.callDurationBounds);

  constructor(door: Door, method: string) {
    this.door = door;
    this.method = method;
  }

  begin(): void {
    this.begunCount++;
  }

  /** A call with one request and one reply has ended. */
  end(code: GrpcCode, tookMs: number): void {
    this.#count(code, 1);
    this.durations.add(tookMs / MS_PER_SECOND);
  }

  /** A call has ended whose duration is measured elsewhere, or a stream: how long that was open says nothing of how fast the server is. */
  endUntimed(code: GrpcCode): void {
    this.#count(code, 1);
  }

  /** So many calls that were not told of as they began have ended alike. */
  addMany(code: GrpcCode, tookMs: number, count: number): void {
    this.begunCount += count;
    this.#count(code, count);
    this.durations.add(tookMs / MS_PER_SECOND, count);
  }

  /** A reply of HTTP went out, or began to. */
  replied(status: number): void {
    const index = Math.floor(status / 100) - 1;
    const counts = this.countByStatusClass;
    if (index >= 0 && index < counts.length) counts[index] = (counts[index] as number) + 1;
  }

  get endedCount(): number {
    return this.countByCode.reduce((sum, count) => sum + count, 0);
  }

  #count(code: GrpcCode, count: number): void {
    this.countByCode[code] = (this.countByCode[code] as number) + count;
  }
}
