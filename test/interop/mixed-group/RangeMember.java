/*
 * One member of a classic group with the strategy `range` by Apache Kafka's own Java client, for mixed-group.interop-spec.ts.
 *
 *   java -cp <jars> RangeMember.java <bootstrap> <group> <topic>
 *
 * Prints one fact a line, commits after every poll, and leaves when its input ends:
 *   assigned <partition,...>
 *   got <partition> <offset> <value>
 *   closed
 */
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class RangeMember {
    private static volatile boolean stopping = false;

    public static void main(String[] args) throws Exception {
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, args[0],
                ConsumerConfig.GROUP_ID_CONFIG, args[1],
                ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic",
                ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, RangeAssignor.class.getName(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000,
                ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 300);
        Thread input = new Thread(RangeMember::readToTheEnd);
        input.setDaemon(true);
        input.start();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(args[2]));
            String before = "";
            while (!stopping) {
                Iterable<ConsumerRecord<String, String>> records = consumer.poll(Duration.ofMillis(50));
                String now = consumer.assignment().stream().map(place -> String.valueOf(place.partition()))
                        .sorted().collect(Collectors.joining(","));
                StringBuilder lines = new StringBuilder();
                if (!now.equals(before)) lines.append("assigned ").append(now).append('\n');
                before = now;
                for (ConsumerRecord<String, String> record : records) {
                    lines.append("got ").append(record.partition()).append(' ').append(record.offset()).append(' ')
                            .append(record.value()).append('\n');
                }
                System.out.print(lines);
                System.out.flush();
                try {
                    consumer.commitSync();
                } catch (RebalanceInProgressException later) {
                    // The next poll joins; what is not committed then comes again.
                }
            }
        }
        System.out.println("closed");
    }

    private static void readToTheEnd() {
        try {
            while (System.in.read() >= 0) continue;
        } catch (java.io.IOException ended) {
            // The same as the end.
        }
        stopping = true;
    }
}
