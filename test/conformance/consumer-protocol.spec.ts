/**
 * The consumer protocol inside JoinGroup and SyncGroup: read from and written for other clients.
 *
 * kafkajs writes version 0 and reads any; the bytes of newer versions are in golden/records-and-embedded.txt.
 */
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from '@kafka-template/protocol';
import kafkajs from 'kafkajs';

const { AssignerProtocol } = kafkajs;
const topics = ['orders', 'payments'];
const owned = [{ topic: 'orders', partitions: [0, 2] }];
const noBytes = Buffer.alloc(0);

describe('subscription', () => {
  it('of kafkajs is read', () => {
    const bytes = AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.from('mine') });
    expect(decodeSubscription(bytes)).toEqual({
      topics,
      userData: Buffer.from('mine'),
      ownedPartitions: [],
      generationId: -1,
      rackId: null,
    });
  });

  it.each([0, 1, 2, 3])('of version %d is read by kafkajs', (version) => {
    const subscription = {
      topics,
      userData: Buffer.from('mine'),
      ownedPartitions: owned,
      generationId: 7,
      rackId: 'a',
    };
    const bytes = encodeSubscription(subscription, version);
    expect(AssignerProtocol.MemberMetadata.decode(bytes)).toEqual({ version, topics, userData: Buffer.from('mine') });
    expect(decodeSubscription(bytes)).toEqual({
      ...subscription,
      ownedPartitions: version >= 1 ? owned : [],
      generationId: version >= 2 ? 7 : -1,
      rackId: version >= 3 ? 'a' : null,
    });
  });

  it('of a newer version is read as far as it is known', () => {
    const bytes = Buffer.concat([encodeSubscription({ topics, ownedPartitions: owned }), Buffer.from('more')]);
    bytes.writeInt16BE(9, 0);
    expect(decodeSubscription(bytes)).toMatchObject({ topics, ownedPartitions: owned });
  });

  it.each([
    ['a negative version', Buffer.of(0xff, 0xff, 0, 0)],
    ['no bytes', noBytes],
    ['a count beyond the end', Buffer.of(0, 0, 0x7f, 0xff, 0xff, 0xff)],
  ])('with %s is a ProtocolError', (_what, bytes) => {
    expect(() => decodeSubscription(bytes)).toThrow(expect.objectContaining({ name: 'ProtocolError' }) as Error);
  });
});

describe('assignment', () => {
  it('of kafkajs is read', () => {
    const bytes = AssignerProtocol.MemberAssignment.encode({
      version: 0,
      assignment: { orders: [0, 2] },
      userData: noBytes,
    });
    expect(decodeAssignment(bytes)).toEqual({ assignedPartitions: owned, userData: noBytes });
  });

  it('is read by kafkajs', () => {
    const bytes = encodeAssignment({ assignedPartitions: owned, userData: noBytes });
    expect(AssignerProtocol.MemberAssignment.decode(bytes)).toEqual({
      version: 3,
      assignment: { orders: [0, 2] },
      userData: noBytes,
    });
  });

  it('without bytes means no partitions', () => {
    expect(decodeAssignment(noBytes)).toEqual({ assignedPartitions: [], userData: null });
  });

  it('of a newer version is read as far as it is known', () => {
    const bytes = Buffer.concat([encodeAssignment({ assignedPartitions: owned }), Buffer.from('more')]);
    bytes.writeInt16BE(9, 0);
    expect(decodeAssignment(bytes)).toEqual({ assignedPartitions: owned, userData: null });
  });
});
