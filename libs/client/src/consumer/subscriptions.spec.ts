/**
 * Subscriptions: one way of choosing at a time, and what survives an assignment.
 */
import { Subscriptions } from './subscriptions.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };
const keys = (subscriptions: Subscriptions): string[] => [...subscriptions.partitions.keys()];

describe('Subscriptions', () => {
  it('refuses a second way of choosing until unsubscribed', () => {
    const subscriptions = new Subscriptions();
    subscriptions.subscribeTopics(['a'], {});
    expect(() => subscriptions.assign([A0])).toThrow(/exclude each other/);
    expect(() => subscriptions.subscribePattern(/a/, {})).toThrow(/exclude each other/);
    subscriptions.clear();
    subscriptions.assign([A0]);
    expect(keys(subscriptions)).toEqual(['a-0']);
  });

  it('counts changes of the topics, not repetitions', () => {
    const subscriptions = new Subscriptions();
    subscriptions.subscribeTopics(['a', 'b'], {});
    const { version } = subscriptions;
    subscriptions.subscribeTopics(['b', 'a'], {});
    expect(subscriptions.version).toBe(version);
    subscriptions.subscribeTopics(['b'], {});
    expect(subscriptions.version).toBe(version + 1);
  });

  it('keeps partitions paused that come back in the next assignment, and only those', () => {
    const subscriptions = new Subscriptions();
    subscriptions.subscribeTopics(['a'], {});
    subscriptions.assignFromGroup([A0, A1]);
    subscriptions.get(A0).paused = true;
    subscriptions.get(A1).paused = true;
    subscriptions.release([...subscriptions.partitions.values()]);
    expect(keys(subscriptions)).toEqual([]);
    subscriptions.assignFromGroup([A0]);
    expect(subscriptions.get(A0).paused).toBe(true);
    subscriptions.release([...subscriptions.partitions.values()]);
    subscriptions.assignFromGroup([A0, A1]);
    expect([subscriptions.get(A0).paused, subscriptions.get(A1).paused]).toEqual([true, false]);
  });

  it('begins anew in partitions from the group, and keeps positions in assign()', () => {
    const subscriptions = new Subscriptions();
    subscriptions.assign([A0]);
    subscriptions.get(A0).seek(42, 3);
    subscriptions.assign([A0, A1]);
    expect([subscriptions.get(A0).position, subscriptions.get(A1).position]).toEqual([42, -1]);
  });

  it('names the partition that is not assigned', () => {
    const subscriptions = new Subscriptions();
    expect(() => subscriptions.get(A1)).toThrow(/a-1 is not assigned/);
  });

  it('takes the topics that match only while a pattern is subscribed', () => {
    const subscriptions = new Subscriptions();
    subscriptions.subscribePattern(/^a/, {});
    expect(subscriptions.setMatchingTopics(['a'])).toBe(true);
    expect(subscriptions.setMatchingTopics(['a'])).toBe(false);
    subscriptions.clear();
    expect(subscriptions.setMatchingTopics(['b'])).toBe(false);
  });
});
