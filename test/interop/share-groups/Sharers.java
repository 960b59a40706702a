/*
 * Members of share groups (KIP-932) by Apache Kafka's own Java client, for share-groups.interop-spec.ts.
 *
 *   java -cp <jars> Sharers.java <bootstrap>
 *
 * Takes commands from its input, one a line:
 *   start <name> <group> <topic> <explicit|implicit>
 *   stop <name>
 * and prints one fact a line:
 *   <name> got <topic-partition> <offset> <delivery count> <value>
 *   <name> committed <topic-partition>:<number of records> <error or ->
 *   <name> closed
 *   <name> failed <error>
 *
 * With explicit acknowledgement the value of a record says what becomes of it: `again…` is released, `bad…` rejected,
 * `slow…` renewed, and accepted when the client gives it out again, anything else accepted.
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Sharers {
    private static final Map<String, Sharer> SHARERS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("start")) {
                Sharer sharer = new Sharer(args[0], words);
                SHARERS.put(words[1], sharer);
                sharer.start();
            } else {
                Sharer sharer = SHARERS.remove(words[1]);
                sharer.consumer.wakeup();
                sharer.join();
            }
        }
        for (Sharer sharer : SHARERS.values()) sharer.consumer.wakeup();
        for (Sharer sharer : SHARERS.values()) sharer.join();
    }

    private static synchronized void print(String name, String fact) {
        System.out.println(name + " " + fact);
        System.out.flush();
    }

    private static final class Sharer extends Thread {
        private final String name;
        private final boolean explicit;
        private final Set<Long> renewed = new HashSet<>();
        private final KafkaShareConsumer<String, String> consumer;

        Sharer(String bootstrap, String[] words) {
            name = words[1];
            explicit = words[4].equals("explicit");
            Map<String, Object> config = new HashMap<>();
            config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
            config.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
            config.put(ConsumerConfig.CLIENT_ID_CONFIG, name);
            config.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, words[4]);
            config.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
            config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10);
            consumer = new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            consumer.setAcknowledgementCommitCallback((offsets, error) -> offsets.forEach((place, each) ->
                print(name, "committed " + place + ":" + each.size() + " " + (error == null ? "-" : error))));
            consumer.subscribe(List.of(words[3]));
        }

        @Override
        public void run() {
            try {
                while (true) {
                    ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
                    for (ConsumerRecord<String, String> record : records) take(record);
                    if (explicit && !records.isEmpty()) consumer.commitSync();
                }
            } catch (WakeupException expected) {
                consumer.close();
                print(name, "closed");
            } catch (Throwable error) {
                print(name, "failed " + error);
                consumer.close();
            }
        }

        private void take(ConsumerRecord<String, String> record) {
            String place = record.topic() + "-" + record.partition() + " " + record.offset();
            print(name, "got " + place + " " + record.deliveryCount().orElse((short) 0) + " " + record.value());
            if (!explicit) return;
            String value = record.value();
            if (value.startsWith("again")) consumer.acknowledge(record, AcknowledgeType.RELEASE);
            else if (value.startsWith("bad")) consumer.acknowledge(record, AcknowledgeType.REJECT);
            else if (value.startsWith("slow") && renewed.add(record.offset())) consumer.acknowledge(record, AcknowledgeType.RENEW);
            else consumer.acknowledge(record, AcknowledgeType.ACCEPT);
        }
    }
}
