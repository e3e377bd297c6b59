/** `etcdserverpb.Watch`: one stream, on which many watches are made, told and canceled (`watch/watch-stream.ts`). */
import { Watch } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkUser } from '../../access/checks.ts';
import { bidiStream, type Method } from '../services/method.ts';
import { watchCodecs } from './watch/watch-reply.ts';
import { WatchStream } from './watch/watch-stream.ts';

export function watchMethods(): Readonly<Record<string, Method>> {
  return {
    watch: bidiStream(
      Watch.method.watch,
      watchCodecs,
      'caughtUp',
      checkUser,
      (store, requests, call, signal) => new WatchStream(store, call, signal).replies(requests),
    ),
  };
}
