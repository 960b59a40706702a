"""Transactions by librdkafka, for librdkafka.interop-spec.ts. Prints one fact a line.

    python transfer.py move <bootstrap> <from> <to> <group> <id> <records> <group protocol>
    python transfer.py zombie <bootstrap> <topic> <id>
"""
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

SECONDS = 30


def new_producer(bootstrap, transactional_id):
    producer = Producer({'bootstrap.servers': bootstrap, 'transactional.id': transactional_id})
    producer.init_transactions(SECONDS)
    return producer


def move(bootstrap, origin, target, group, transactional_id, wanted, protocol):
    """Consume, transform, produce: every third transaction is aborted and done again."""
    producer = new_producer(bootstrap, transactional_id)
    consumer = Consumer({
        'bootstrap.servers': bootstrap,
        'group.id': group,
        'group.protocol': protocol,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': False,
        'isolation.level': 'read_committed',
    })
    consumer.subscribe([origin])
    moved = transactions = aborted = 0
    while moved < int(wanted):
        messages = [message for message in consumer.consume(num_messages=100, timeout=0.5) if not message.error()]
        if not messages:
            continue
        transactions += 1
        producer.begin_transaction()
        first = {}
        for message in messages:
            first.setdefault(message.partition(), message.offset())
            producer.produce(target, key=message.key(), value=message.value().upper())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), SECONDS)
        if transactions % 3 == 0:
            producer.flush(SECONDS)
            producer.abort_transaction(SECONDS)
            aborted += 1
            for partition, offset in first.items():
                consumer.seek(TopicPartition(origin, partition, offset))
        else:
            producer.commit_transaction(SECONDS)
            moved += len(messages)
    consumer.close()
    print('moved', moved)
    print('aborted', aborted > 0)


def zombie(bootstrap, topic, transactional_id):
    """A second producer with the same id takes over while the first has a transaction open."""
    first = new_producer(bootstrap, transactional_id)
    first.begin_transaction()
    first.produce(topic, 'zombie')
    first.flush(SECONDS)
    second = new_producer(bootstrap, transactional_id)
    second.begin_transaction()
    second.produce(topic, 'alive')
    second.commit_transaction(SECONDS)
    try:
        first.commit_transaction(SECONDS)
        print('first was not fenced')
    except KafkaException as error:
        print('first', error.args[0].name(), 'fatal' if error.args[0].fatal() else '')


{'move': move, 'zombie': zombie}[sys.argv[1]](*sys.argv[2:])
