/** What the server is in its cluster, which nodes there are, and handing over. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { StatusResponse_Role as Role } from '../../../gen/kelp/v1/admin_pb.ts';
import type { Member, MembersResponse } from '../../../gen/kelp/v1/cluster_pb.ts';
import { formatCount, formatSpan } from '../bytes/text.ts';
import { admin, cluster, unreachable } from '../calls/server.ts';
import { lagMs, roleName } from '../overview/role-text.ts';
import { limits } from '../page/limits.ts';
import { CopiedText } from '../parts/copied-text.tsx';
import { Fact } from '../parts/facts.tsx';
import { FailureNote } from '../parts/failure-note.tsx';
import { MissingRight } from '../parts/missing-right.tsx';
import { useOperator } from '../parts/operator.ts';
import { usePolled } from '../parts/polled.ts';
import { Question } from '../parts/question.tsx';

interface ClusterState {
  /** `undefined`: the server is alone. */
  readonly members: MembersResponse | undefined;
}

async function readCluster(signal: AbortSignal): Promise<ClusterState> {
  const { role } = await admin.status({}, { signal });
  const isAlone = role === Role.SINGLE || role === Role.UNSPECIFIED;
  return { members: isAlone ? undefined : await cluster.members({}, { signal }) };
}

export function ClusterPage(): JSX.Element {
  const { value, failure, readNow } = usePolled(readCluster);
  return (
    <div class="overview narrow" aria-busy={value === undefined}>
      <h1>Cluster</h1>
      {unreachable.value === undefined && <FailureNote failure={failure} />}
      {value !== undefined &&
        (value.members === undefined ? <Alone /> : <Nodes reply={value.members} onDone={readNow} />)}
    </div>
  );
}

const LOG = 'etcd://ETCD1:2379,ETCD2:2379,ETCD3:2379/kelp/main';

function Alone(): JSX.Element {
  return (
    <section class="card">
      <h2>This server is alone</h2>
      <p class="hint">
        It is in no cluster: its store is on this machine, and is served as long as this one is. Several
        servers can have one store over a shared log in etcd, so that any of them may be lost;{' '}
        <code>docs/replication.md</code> has it step by step, and how keys move into one.
      </p>
      <CopiedText label="A cluster begins with its log" text={`kelp cluster init --log ${LOG}`} />
      <CopiedText
        label="Each of its nodes"
        text={`kelp serve --log ${LOG} --listen ADDRESS:7379 --data-dir ./data`}
      />
      <CopiedText
        label="A server that follows this one, and takes no writes"
        text={`kelp serve --follow ${location.host} --listen ADDRESS:7379 --data-dir ./follower`}
      />
    </section>
  );
}

interface NodesProps {
  readonly reply: MembersResponse;
  readonly onDone: () => void;
}

function Nodes({ reply, onDone }: NodesProps): JSX.Element {
  const { role, epoch, writerAddress, address, members, logPosition, takeoverCount } = reply;
  const lag = lagMs(reply);
  return (
    <>
      <section class="card">
        <h2>{address === '' ? 'This node' : address}</h2>
        <dl class="facts">
          <Fact name="Role">{roleName(role)}</Fact>
          <Fact name="Epoch">{formatCount(epoch)}</Fact>
          <Fact name="Writer">{writerAddress === '' ? 'not known now' : writerAddress}</Fact>
          <Fact name="Behind">{lag === 0 ? 'no' : formatSpan(lag)}</Fact>
          <Fact name="Shared log up to">{formatCount(logPosition)}</Fact>
          <Fact name="Takeovers">{formatCount(takeoverCount)}</Fact>
        </dl>
      </section>
      <section class="card">
        <h2>Nodes</h2>
        {role !== Role.WRITER && (
          <p class="hint">A follower knows of itself alone; the console of the writer shows all nodes.</p>
        )}
        <div class="table-box" tabIndex={0} role="region" aria-label="Nodes">
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col">Role</th>
                <th scope="col">Position</th>
                <th scope="col">Lacks</th>
                <th scope="col">Snapshot</th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <NodeRow key={member.address} member={member} reply={reply} />
              ))}
            </tbody>
          </table>
        </div>
        <p class="hint">
          Positions count batches of the shared log. Nodes report once a second; one that is silent for 30 s
          is not shown any more.
        </p>
      </section>
      {role === Role.WRITER && <Handover reply={reply} onDone={onDone} />}
    </>
  );
}

interface NodeRowProps {
  readonly member: Member;
  readonly reply: MembersResponse;
}

function NodeRow({ member, reply }: NodeRowProps): JSX.Element {
  const { address, position, snapshotPosition } = member;
  const lacking = reply.logPosition > position ? reply.logPosition - position : 0n;
  return (
    <tr>
      <th scope="row">
        {address}
        {address === reply.address && <span class="mark">this one</span>}
      </th>
      <td>{address === reply.writerAddress ? 'writer' : 'follower'}</td>
      <td>{formatCount(position)}</td>
      <td>{lacking === 0n ? 'nothing' : formatCount(lacking)}</td>
      <td>{snapshotPosition === 0n ? 'none' : formatCount(snapshotPosition)}</td>
    </tr>
  );
}

function Handover({ reply: { members, address }, onDone }: NodesProps): JSX.Element {
  const operator = useOperator();
  const [to, setTo] = useState('');
  const [isAsking, setAsking] = useState(false);
  const others = members.filter((member) => member.address !== address);
  const leave = (): void => setAsking(false);
  return (
    <section class="card">
      <h2>Hand over</h2>
      <MissingRight failure={operator.failure} what="Handing over is" right="admin" />
      {operator.value === true && (
        <p class="field-line">
          <label class="field">
            To
            <select value={to} onChange={(event) => setTo(event.currentTarget.value)}>
              <option value="">any node</option>
              {others.map((other) => (
                <option key={other.address} value={other.address}>
                  {other.address}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            Hand over
          </button>
        </p>
      )}
      {isAsking && (
        <Question
          title="Hand over to another node?"
          subject={to === '' ? 'any node' : to}
          hint="This node writes nothing any more, and follows. Writes wait until the other one has taken over, mostly for a fraction of a second."
          yes="Hand over"
          no="Leave it as it is"
          act={() => cluster.handover({ to }, { timeoutMs: limits.longCallMs })}
          onDone={() => {
            leave();
            onDone();
          }}
          onCancel={leave}
        />
      )}
    </section>
  );
}
