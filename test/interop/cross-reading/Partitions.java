/*
 * Where Apache Kafka's own Java client puts keys, for cross-reading.interop-spec.ts.
 *
 *   java -cp <jars> Partitions.java < lines
 *
 * A line is `<number of partitions> <key in hex>`; the answer to each is a line with the partition.
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

public final class Partitions {
    public static void main(String[] args) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder answer = new StringBuilder();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            int blank = line.indexOf(' ');
            int count = Integer.parseInt(line.substring(0, blank));
            byte[] key = HexFormat.of().parseHex(line.substring(blank + 1));
            answer.append(BuiltInPartitioner.partitionForKey(key, count)).append('\n');
        }
        System.out.print(answer);
    }
}
