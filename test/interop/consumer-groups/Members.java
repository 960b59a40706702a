/*
 * Members of groups of the new protocol (KIP-848) by Apache Kafka's own Java client, for consumer-groups.interop-spec.ts.
 *
 *   java -cp <jars> Members.java <bootstrap>
 *
 * Takes commands from its input, one a line; `-` stands for nothing:
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Members {
    private static final Map<String, Member> MEMBERS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("start")) {
                Member member = new Member(args[0], words);
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

        Member(String bootstrap, String[] words) {
            name = words[1];
            Map<String, Object> config = new HashMap<>();
            config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
            config.put(ConsumerConfig.GROUP_ID_CONFIG, words[2]);
            config.put(ConsumerConfig.CLIENT_ID_CONFIG, name);
            config.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "consumer");
            config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
            config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
            if (!words[5].equals("-")) config.put(ConsumerConfig.GROUP_REMOTE_ASSIGNOR_CONFIG, words[5]);
            if (!words[6].equals("-")) config.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, words[6]);
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            if (words[4].equals("-")) consumer.subscribe(List.of(words[3]));
            else consumer.subscribe(new SubscriptionPattern(words[4]));
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
                    consumer.commitSync();
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
