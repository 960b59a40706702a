"""Groups through librdkafka's admin client, for librdkafka.interop-spec.ts. Prints one fact a line.

    python groups.py <bootstrap> <group> <topic>      an empty group that has committed offsets of the topic
"""
import sys

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

BOOTSTRAP, GROUP, TOPIC = sys.argv[1:]
admin = AdminClient({'bootstrap.servers': BOOTSTRAP})


def offsets():
    [answer] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)]).values()
    return ' '.join(f'{place.partition}:{place.offset}' for place in sorted(answer.result().topic_partitions))


def listed():
    return [each for each in admin.list_consumer_groups().result().valid if each.group_id == GROUP]


[group] = listed()
print('listed', group.state.name, group.type.name)
[described] = admin.describe_consumer_groups([GROUP]).values()
print('described', described.result().state.name, len(described.result().members))
print('offsets', offsets())
wanted = ConsumerGroupTopicPartitions(GROUP, [TopicPartition(TOPIC, 0, 7)])
[altered] = admin.alter_consumer_group_offsets([wanted]).values()
altered.result()
print('altered', offsets())
[deleted] = admin.delete_consumer_groups([GROUP]).values()
deleted.result()
print('deleted', len(listed()) == 0)
