/*
 * Transactions by Apache Kafka's own Java client, for transactions.interop-spec.ts. Prints what happened, one fact a line.
 *
 *   java -cp <jars> Transfer.java move   <bootstrap> <from> <to> <group> <transactional id> <records>
 *   java -cp <jars> Transfer.java zombie <bootstrap> <topic> <transactional id>
 *   java -cp <jars> Transfer.java open   <bootstrap> <topic> <transactional id>      (leaves a transaction open)
 */
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public final class Transfer {
    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "move" -> move(args[1], args[2], args[3], args[4], args[5], Integer.parseInt(args[6]));
            case "zombie" -> zombie(args[1], args[2], args[3]);
            case "open" -> open(args[1], args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static KafkaProducer<String, String> producer(String bootstrap, String id) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 100);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    /** Consume, transform, produce: every third transaction is aborted and done again. */
    private static void move(String bootstrap, String from, String to, String group, String id, int wanted) {
        int moved = 0;
        int transactions = 0;
        int aborted = 0;
        try (KafkaProducer<String, String> producer = producer(bootstrap, id);
                KafkaConsumer<String, String> consumer = consumer(bootstrap, group)) {
            producer.initTransactions();
            consumer.subscribe(List.of(from));
            while (moved < wanted) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
                if (records.isEmpty()) continue;
                transactions++;
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (ConsumerRecord<String, String> record : records) {
                    TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                    producer.send(new ProducerRecord<>(to, record.key(), record.value().toUpperCase()));
                    offsets.put(partition, new OffsetAndMetadata(record.offset() + 1));
                }
                producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
                if (transactions % 3 == 0) {
                    producer.flush();
                    producer.abortTransaction();
                    aborted++;
                    for (TopicPartition partition : records.partitions()) {
                        consumer.seek(partition, records.records(partition).get(0).offset());
                    }
                } else {
                    producer.commitTransaction();
                    moved += records.count();
                }
            }
        }
        System.out.println("moved " + moved);
        System.out.println("aborted " + (aborted > 0));
    }

    /** A second producer with the same id takes over while the first has a transaction open. */
    private static void zombie(String bootstrap, String topic, String id) throws Exception {
        try (KafkaProducer<String, String> first = producer(bootstrap, id);
                KafkaProducer<String, String> second = producer(bootstrap, id)) {
            first.initTransactions();
            first.beginTransaction();
            first.send(new ProducerRecord<>(topic, "k", "zombie")).get();
            second.initTransactions();
            second.beginTransaction();
            second.send(new ProducerRecord<>(topic, "k", "alive"));
            second.commitTransaction();
            try {
                first.commitTransaction();
                System.out.println("first was not fenced");
            } catch (Exception error) {
                System.out.println("first " + error.getClass().getSimpleName());
            }
        }
    }

    /** Ends without ending its transaction, as a process that is killed. */
    private static void open(String bootstrap, String topic, String id) throws Exception {
        KafkaProducer<String, String> producer = producer(bootstrap, id);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "k", "hanging")).get();
        System.out.println("open");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
