"""Members of groups by librdkafka, for librdkafka.interop-spec.ts; commands and facts are those of ../consumer-groups/Members.java.

    python members.py <bootstrap> classic|consumer
"""
import sys
import threading

from confluent_kafka import Consumer, KafkaError, KafkaException

BOOTSTRAP, PROTOCOL = sys.argv[1:3]
printing = threading.Lock()


def say(name, fact):
    with printing:
        print(name, fact, flush=True)


def config(name, group, assignor, instance_id):
    made = {
        'bootstrap.servers': BOOTSTRAP,
        'group.id': group,
        'client.id': name,
        'group.protocol': PROTOCOL,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': False,
        'topic.metadata.refresh.interval.ms': 1000,
    }
    if assignor != '-':
        made['group.remote.assignor' if PROTOCOL == 'consumer' else 'partition.assignment.strategy'] = assignor
    if instance_id != '-':
        made['group.instance.id'] = instance_id
    if PROTOCOL == 'classic':
        made.update({'session.timeout.ms': 10000, 'heartbeat.interval.ms': 300})
    return made


class Member(threading.Thread):
    def __init__(self, name, group, topic, pattern, assignor, instance_id):
        super().__init__()
        self.known_as = name
        self.stopping = False
        self.consumer = Consumer(config(name, group, assignor, instance_id))
        self.topics = [topic] if pattern == '-' else ['^' + pattern + '$']

    def run(self):
        try:
            self.consumer.subscribe(self.topics, on_revoke=lambda consumer, _places: self.commit())
            self.read()
            self.consumer.close()
            say(self.known_as, 'closed')
        except KafkaException as failure:
            say(self.known_as, 'failed ' + str(failure))

    def read(self):
        before, count = None, 0
        while not self.stopping:
            messages = self.consumer.consume(num_messages=500, timeout=0.1)
            now = ','.join(sorted(f'{place.topic}-{place.partition}' for place in self.consumer.assignment()))
            if now != before:
                say(self.known_as, 'assigned ' + now)
            before = now
            for message in messages:
                if message.error() and not message.error().retriable():
                    raise KafkaException(message.error())
            count += sum(1 for message in messages if not message.error())
            if messages:
                self.commit()
                say(self.known_as, f'read {count}')

    def commit(self):
        """What cannot be committed now, because the group rebalances, is committed when partitions are given up."""
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:
            later = (KafkaError._NO_OFFSET, KafkaError.REBALANCE_IN_PROGRESS)
            if error.args[0].code() not in later and not error.args[0].retriable():
                raise


members = {}
for line in sys.stdin:
    command, name, *wishes = line.split()
    if command == 'start':
        members[name] = Member(name, *wishes)
        members[name].start()
    else:
        members[name].stopping = True
        members.pop(name).join()
for member in members.values():
    member.stopping = True
for member in members.values():
    member.join()
