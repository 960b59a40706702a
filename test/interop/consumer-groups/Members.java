/*
 * Members of groups by Apache Kafka's own Java client: of the classic protocol, or of the new one (KIP-848).
 *
 *   java -cp <jars> Members.java <bootstrap> classic|consumer
 *
 * Takes commands from its input, one a line; `-` stands for nothing. An assignor is the name of one at the broker, or, in
 * the classic protocol, a class of the client:
 *   start <name> <group> <topic> <pattern> <assignor> <instance id>
 *   stop <name>      (closes it: a static member leaves for a while)
 * and prints one fact a line:
 *   <name> assigned <topic-partition,...>
 *   <name> read <records so far>
 *   <name> closed
 *   <name> failed <error>
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Members {
    private static final Map<String, Member> MEMBERS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("start")) {
                Member member = new Member(args[0], args[1], words);
                MEMBERS.put(words[1], member);
                member.start();
            } else {
                Member member = MEMBERS.remove(words[1]);
                member.consumer.wakeup();
                member.join();
            }
        }
        for (Member member : MEMBERS.values()) member.consumer.wakeup();
        for (Member member : MEMBERS.values()) member.join();
    }

    private static synchronized void print(String name, String fact) {
        System.out.println(name + " " + fact);
        System.out.flush();
    }

    private static final class Member extends Thread {
        private final String name;
        private final KafkaConsumer<String, String> consumer;

        Member(String bootstrap, String protocol, String[] words) {
            name = words[1];
            Map<String, Object> config = new HashMap<>();
            config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
            config.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
            config.put(ConsumerConfig.CLIENT_ID_CONFIG, name);
            config.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol);
            config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
            config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
            boolean classic = protocol.equals("classic");
            if (classic) config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
            if (classic) config.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 300);
            if (!words[5].equals("-")) {
                config.put(classic ? ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG
                        : ConsumerConfig.GROUP_REMOTE_ASSIGNOR_CONFIG, words[5]);
            }
            if (!words[6].equals("-")) config.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, words[6]);
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            if (words[4].equals("-")) consumer.subscribe(List.of(words[3]), new CommitWhenRevoked());
            else if (classic) consumer.subscribe(Pattern.compile(words[4]), new CommitWhenRevoked());
            else consumer.subscribe(new SubscriptionPattern(words[4]), new CommitWhenRevoked());
        }

        /** What cannot be committed now, because the group rebalances, is committed when partitions are given up. */
        private void commit() {
            try {
                consumer.commitSync();
            } catch (RebalanceInProgressException later) {
                return;
            }
        }

        private final class CommitWhenRevoked implements ConsumerRebalanceListener {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                commit();
            }

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
        }

        @Override
        public void run() {
            String before = null;
            int read = 0;
            try {
                while (true) {
                    int count = consumer.poll(Duration.ofMillis(100)).count();
                    String now = new TreeSet<>(consumer.assignment().stream().map(Object::toString).toList())
                            .stream().collect(Collectors.joining(","));
                    if (!now.equals(before)) print(name, "assigned " + now);
                    before = now;
                    if (count == 0) continue;
                    read += count;
                    commit();
                    print(name, "read " + read);
                }
            } catch (WakeupException stopped) {
                consumer.close();
                print(name, "closed");
            } catch (RuntimeException failure) {
                print(name, "failed " + failure);
                consumer.close();
            }
        }
    }
}
