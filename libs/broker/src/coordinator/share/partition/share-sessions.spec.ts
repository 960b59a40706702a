import { ErrorCode } from '@kafka-template/protocol';
import { FINAL_EPOCH, FIRST_EPOCH, ShareSessions } from './share-sessions.js';

class Wire {
  private listener: () => void = () => undefined;

  whenClosed(listener: () => void): () => void {
    this.listener = listener;
    return () => (this.listener = () => undefined);
  }

  close(): void {
    this.listener();
  }
}

describe('share sessions', () => {
  const NOTHING = { added: [], forgotten: [] };
  const at = (partition: number) => ({ topicId: 't', partition });
  let released: string[];
  let sessions: ShareSessions;
  let wire: Wire;

  beforeEach(() => {
    released = [];
    sessions = new ShareSessions({
      sessionsMax: () => 2,
      release: (group, member) => void released.push(group + member),
    });
    wire = new Wire();
  });

  const fetch = (memberId: string, epoch: number, changes: Parameters<ShareSessions['fetch']>[2] = NOTHING) =>
    sessions.fetch({ groupId: 'g', memberId, epoch }, wire, changes);
  const acknowledge = (memberId: string, epoch: number) => sessions.acknowledge({ groupId: 'g', memberId, epoch });

  it('begin with epoch 0 and count on with every request of either kind', () => {
    const opened = fetch('a', FIRST_EPOCH, { added: [at(0), at(1)], forgotten: [] });
    expect([...(opened.session?.partitions.values() ?? [])]).toEqual([at(0), at(1)]);
    expect(acknowledge('a', 1).errorCode).toBe(ErrorCode.NONE);
    const next = fetch('a', 2, { added: [at(2)], forgotten: [at(0)] });
    // The next one is first in turn.
    expect([...(next.session?.partitions.values() ?? [])]).toEqual([at(2), at(1)]);
    expect(fetch('a', FINAL_EPOCH).errorCode).toBe(ErrorCode.NONE);
  });

  it.each([
    ['a fetch without a session', () => fetch('z', 1), ErrorCode.SHARE_SESSION_NOT_FOUND],
    ['an end without a session', () => fetch('z', FINAL_EPOCH), ErrorCode.SHARE_SESSION_NOT_FOUND],
    ['an acknowledgement without a session', () => acknowledge('z', 1), ErrorCode.SHARE_SESSION_NOT_FOUND],
    ['an acknowledgement that would open one', () => acknowledge('a', 0), ErrorCode.INVALID_SHARE_SESSION_EPOCH],
    ['a request that was lost', () => fetch('a', 2), ErrorCode.INVALID_SHARE_SESSION_EPOCH],
    ['a session too many', () => (fetch('b', 0), fetch('c', 0)), ErrorCode.SHARE_SESSION_LIMIT_REACHED],
  ])('refuse %s', (_name, ask, errorCode) => {
    fetch('a', FIRST_EPOCH);
    expect(ask().errorCode).toBe(errorCode);
    expect(acknowledge('a', 1).errorCode).toBe(ErrorCode.NONE);
  });

  it('free what their member has when they end, begin anew, or lose their connection', () => {
    fetch('a', FIRST_EPOCH);
    fetch('a', FIRST_EPOCH);
    expect(released).toEqual(['ga']);
    sessions.end(fetch('a', FINAL_EPOCH).session!);
    expect(released).toEqual(['ga', 'ga']);
    fetch('a', FIRST_EPOCH);
    wire.close();
    expect([released.length, sessions.count]).toEqual([3, 0]);
    wire.close();
    expect(released).toHaveLength(3);
  });
});
