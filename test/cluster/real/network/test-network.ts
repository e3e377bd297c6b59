/**
 * What lies between the processes of a cluster that a test runs. Each process has a place, named as `node-1` or `etcd-2`; the test
 * itself, with its clients, is at `test`. What one place sends to another may be lost until all is healed: as on a cable that was
 * pulled, nothing tells either of them.
 */
export interface TestNetwork {
  /** The host at which a process listens. */
  hostOf(place: string): string;
  /** What comes before the command of a process. */
  commandOf(place: string): readonly string[];
  /** `HOST:PORT` by which one place reaches a port of another; asked for before anything is sent. */
  addressFor(from: string, to: string, port: number): Promise<string>;
  /** `HOST:PORT` by which all nodes reach a port of a node. */
  advertised(node: string, port: number): Promise<string>;
  /** What `from` sends to `to` is lost from now on. */
  lose(from: string, to: string): void;
  /** What passes between any two places takes its time, and some of it has to be sent again. */
  slowDown(): void;
  /** Nothing is lost or slow any more. */
  heal(): void;
}

/** All on 127.0.0.1, with nothing between. */
export class Loopback implements TestNetwork {
  hostOf(_place: string): string {
    return '127.0.0.1';
  }

  commandOf(_place: string): readonly string[] {
    return [];
  }

  addressFor(_from: string, _to: string, port: number): Promise<string> {
    return Promise.resolve(`127.0.0.1:${port}`);
  }

  advertised(_node: string, port: number): Promise<string> {
    return Promise.resolve(`127.0.0.1:${port}`);
  }

  lose(from: string, to: string): void {
    throw new Error(`nothing lies between ${from} and ${to}`);
  }

  slowDown(): void {
    throw new Error('nothing lies between the processes');
  }

  heal(): void {}
}
