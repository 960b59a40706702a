/**
 * What a share group is configured to do: its own configs over those of the broker.
 *
 * Guarantees: typed values; a text that cannot be read counts as the default, because it was checked when it was set.
 */
import type { BrokerConfig, ConfigEntries } from '../../../cluster/broker-config.js';
import { shareOffsetReset, type ShareOffsetReset } from '../../../cluster/share-offset-reset.js';
import type { ShareGroupRules } from '../group/share-group.js';
import type { DeliveryRules } from './delivery.js';

/** Everything about deliveries. */
export interface ShareDeliveryRules extends DeliveryRules {
  /** `share.auto.offset.reset` */
  readonly offsetReset: ShareOffsetReset;
  /** `share.isolation.level` is `read_committed`. */
  readonly readCommitted: boolean;
  /** `share.renew.acknowledge.enable` */
  readonly renewEnabled: boolean;
}

function numberOf(broker: BrokerConfig, own: ConfigEntries, name: string): number {
  const text = own[name];
  return text === undefined ? broker.number(`group.${name}`) : Number(text);
}

/** The rules of deliveries to a group. */
export function shareDeliveryRules(broker: BrokerConfig, own: ConfigEntries): ShareDeliveryRules {
  return {
    lockDurationMs: numberOf(broker, own, 'share.record.lock.duration.ms'),
    deliveryCountMax: numberOf(broker, own, 'share.delivery.count.limit'),
    recordLocksMax: numberOf(broker, own, 'share.partition.max.record.locks'),
    offsetReset: shareOffsetReset(own['share.auto.offset.reset'] ?? 'latest') ?? 'latest',
    readCommitted: own['share.isolation.level'] === 'read_committed',
    renewEnabled: (own['share.renew.acknowledge.enable'] ?? 'true').toLowerCase() !== 'false',
  };
}

/** The rules of membership of a group. */
export function shareGroupRules(broker: BrokerConfig, own: ConfigEntries): ShareGroupRules {
  return {
    sessionTimeoutMs: numberOf(broker, own, 'share.session.timeout.ms'),
    heartbeatIntervalMs: numberOf(broker, own, 'share.heartbeat.interval.ms'),
    membersMax: broker.number('group.share.max.size'),
  };
}
