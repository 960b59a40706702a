/**
 * Refuses to start a container whose driver cannot do what its settings ask for, and says which driver can.
 */
import type { DriverCapability } from '../drivers/driver-capabilities.js';
import type { Driver } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { ContainerSettings } from './container-settings.js';

/** Throws UNSUPPORTED_BY_DRIVER. */
export function requireCapabilities(settings: ContainerSettings, driver: Driver): void {
  const { consumer } = settings;
  const strategies = consumer.partitionAssignmentStrategy ?? [];
  const needs: readonly (readonly [isNeeded: boolean, capability: DriverCapability, what: string])[] = [
    [
      settings.source.kind === 'partitions',
      'assign',
      'reading partitions without a group (topicPartitions, groupId null)',
    ],
    [consumer.autoOffsetReset === 'none', 'resetNone', "autoOffsetReset 'none'"],
    [
      settings.groupId !== undefined && consumer.groupInstanceId !== undefined,
      'staticMembership',
      'static membership (groupInstanceId)',
    ],
    [
      strategies.some((strategy) => strategy !== 'range' && strategy !== 'roundrobin'),
      'cooperativeRebalance',
      `partitionAssignmentStrategy ${strategies.join(', ')}`,
    ],
    [consumer.sasl?.createMechanism !== undefined, 'customSasl', 'a SASL mechanism of its own (createMechanism)'],
    [settings.commitStyle === 'combined', 'awaitedRevoke', "commitStyle 'combined'"],
  ];
  for (const [isNeeded, capability, what] of needs) {
    if (!isNeeded || driver.capabilities[capability]) continue;
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.UNSUPPORTED_BY_DRIVER,
      `Listener ${settings.id} needs ${what}, which driver '${driver.name}' cannot do; the default driver 'native' can`,
    );
  }
}
