import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.Banner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Profile;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.messaging.handler.annotation.SendTo;

/**
 * Spring for Apache Kafka doing what the other subjects of the bench do: one workload per process, one JSON line at the end.
 *
 * Parameters: workload, bootstrap servers, topic, group, records to measure, records before those, start of the process in epoch
 * milliseconds. CPU time is that of the whole JVM, compiler and garbage collector included. Spring Boot's defaults, except that
 * what waits for single records (sync, request and reply) has no linger, which is 5 ms by default.
 */
@SpringBootConfiguration
@EnableAutoConfiguration
public class SpringBench {
  /** Sequential requests, and requests open at the same time. */
  static final int SINGLE_REQUESTS = 1000;
  static final int OPEN_REQUESTS = 100;
  static final String[] KEYS = new String[1024];
  static final String[] VALUES = new String[1024];

  static Args arguments;
  static volatile Counter counter;

  record Args(String workload, String servers, String topic, String group, int records, int warmUp, long spawnedAt) {}

  static {
    for (int index = 0; index < KEYS.length; index++) {
      KEYS[index] = String.format("%010d", index);
      VALUES[index] = String.valueOf((char) ('a' + index % 26)).repeat(100);
    }
  }

  /** Time and CPU time from a point on. */
  static final class Stopwatch {
    final long wall = System.nanoTime();
    final long cpu = cpuNanos();

    static long cpuNanos() {
      return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    String json() {
      return String.format("\"seconds\":%.6f,\"cpuSeconds\":%.6f", (System.nanoTime() - wall) / 1e9, (cpuNanos() - cpu) / 1e9);
    }
  }

  /** Counts what listeners get; measures from the end of the warm-up on. */
  static final class Counter {
    final CountDownLatch done = new CountDownLatch(1);
    final int warmUp = arguments.warmUp();
    final int last = arguments.warmUp() + arguments.records();
    int seen;
    long characters;
    Stopwatch stopwatch;
    int first;
    int measured;
    String time;

    void take(String value) {
      characters += value.length();
      seen++;
    }

    void look() {
      if (stopwatch == null && seen >= warmUp) {
        stopwatch = new Stopwatch();
        first = seen;
      }
      if (seen >= last && time == null) {
        time = stopwatch.json();
        measured = seen - first;
        done.countDown();
      }
    }
  }

  /** BATCH and RECORD: the mode is a property. */
  static class RecordListener {
    @KafkaListener(topics = "${bench.topic}", groupId = "${bench.group}")
    void onRecord(ConsumerRecord<String, String> record) {
      counter.take(record.value());
      counter.look();
    }
  }

  static class ManualListener {
    @KafkaListener(topics = "${bench.topic}", groupId = "${bench.group}")
    void onRecord(ConsumerRecord<String, String> record, Acknowledgment acknowledgment) {
      counter.take(record.value());
      acknowledgment.acknowledge();
      counter.look();
    }
  }

  static class BatchListener {
    @KafkaListener(topics = "${bench.topic}", groupId = "${bench.group}")
    void onBatch(List<ConsumerRecord<String, String>> records) {
      for (ConsumerRecord<String, String> record : records) counter.take(record.value());
      counter.look();
    }
  }

  static class Replier {
    @KafkaListener(topics = "${bench.topic}", groupId = "${bench.group}")
    @SendTo
    String onRequest(String request) {
      return request;
    }
  }

  @Bean
  @Profile({"BATCH", "RECORD", "start"})
  RecordListener recordListener() {
    return new RecordListener();
  }

  @Bean
  @Profile("MANUAL")
  ManualListener manualListener() {
    return new ManualListener();
  }

  @Bean
  @Profile("batch")
  BatchListener batchListener() {
    return new BatchListener();
  }

  @Bean
  @Profile("reply")
  Replier replier() {
    return new Replier();
  }

  public static void main(String[] parameters) throws Exception {
    arguments =
        new Args(
            parameters[0], parameters[1], parameters[2], parameters[3],
            Integer.parseInt(parameters[4]), Integer.parseInt(parameters[5]), Long.parseLong(parameters[6]));
    String result =
        switch (arguments.workload()) {
          case "send forget" -> send(SpringBench::forget);
          case "send callback" -> send(SpringBench::callback);
          case "send sync" -> send(SpringBench::sync);
          case "request reply" -> requestReply();
          case "start" -> start();
          default -> listen();
        };
    System.out.println("{" + result + ",\"rssMb\":" + peakMb() + "}");
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  static ConfigurableApplicationContext application(String profile, String... properties) {
    SpringApplication application = new SpringApplication(SpringBench.class);
    application.setBannerMode(Banner.Mode.OFF);
    application.setAdditionalProfiles(profile);
    List<String> all = new ArrayList<>(List.of(
        "--logging.level.root=warn",
        "--spring.kafka.bootstrap-servers=" + arguments.servers(),
        "--spring.kafka.consumer.auto-offset-reset=earliest",
        "--bench.topic=" + arguments.topic(),
        "--bench.group=" + arguments.group()));
    for (String property : properties) all.add("--" + property);
    return application.run(all.toArray(new String[0]));
  }

  interface Sending {
    String run(KafkaTemplate<String, String> template, int records) throws Exception;
  }

  @SuppressWarnings("unchecked")
  static String send(Sending sending) throws Exception {
    String linger = arguments.workload().equals("send sync") ? "0" : "5";
    var context = application("send", "spring.kafka.producer.properties.linger.ms=" + linger);
    KafkaTemplate<String, String> template = context.getBean(KafkaTemplate.class);
    sending.run(template, arguments.warmUp());
    Stopwatch stopwatch = new Stopwatch();
    String more = sending.run(template, arguments.records());
    return "\"records\":" + arguments.records() + "," + stopwatch.json() + more;
  }

  static String forget(KafkaTemplate<String, String> template, int records) {
    for (int index = 0; index < records; index++) {
      template.send(arguments.topic(), KEYS[index & 1023], VALUES[index & 1023]);
    }
    template.flush();
    return "";
  }

  static String callback(KafkaTemplate<String, String> template, int records) throws Exception {
    CountDownLatch open = new CountDownLatch(records);
    for (int index = 0; index < records; index++) {
      template
          .send(arguments.topic(), KEYS[index & 1023], VALUES[index & 1023])
          .whenComplete((sent, error) -> {
            if (error == null) open.countDown();
            else error.printStackTrace();
          });
    }
    open.await();
    return "";
  }

  static String sync(KafkaTemplate<String, String> template, int records) throws Exception {
    long[] nanos = new long[records];
    for (int index = 0; index < records; index++) {
      long began = System.nanoTime();
      template.send(arguments.topic(), KEYS[index & 1023], VALUES[index & 1023]).get();
      nanos[index] = System.nanoTime() - began;
    }
    return "," + percentiles(nanos);
  }

  static String listen() throws Exception {
    counter = new Counter();
    String mode = arguments.workload().substring(arguments.workload().lastIndexOf(' ') + 1);
    String type = mode.equals("batch") ? "batch" : "single";
    String ackMode = mode.equals("batch") ? "BATCH" : mode;
    application(mode, "spring.kafka.listener.type=" + type, "spring.kafka.listener.ack-mode=" + ackMode.toLowerCase());
    counter.done.await();
    return "\"records\":" + counter.measured + "," + counter.time;
  }

  static String start() throws Exception {
    counter = new Counter();
    application("start");
    counter.done.await();
    return "\"startMs\":" + (System.currentTimeMillis() - arguments.spawnedAt());
  }

  @SuppressWarnings("unchecked")
  static String requestReply() throws Exception {
    var context = application("reply", "spring.kafka.producer.properties.linger.ms=0");
    ContainerProperties properties = new ContainerProperties(arguments.topic() + ".reply");
    properties.setGroupId(arguments.group() + "-replies");
    // Not a bean: Spring Boot would then make no KafkaTemplate, which listeners reply with.
    ReplyingKafkaTemplate<String, String, String> template =
        new ReplyingKafkaTemplate<>(
            context.getBean(ProducerFactory.class),
            new ConcurrentMessageListenerContainer<String, String>(context.getBean(ConsumerFactory.class), properties));
    template.start();
    template.waitForAssignment(java.time.Duration.ofSeconds(30));
    single(template, 200);
    open(template, arguments.warmUp());
    String latencies = percentiles(single(template, SINGLE_REQUESTS));
    Stopwatch stopwatch = new Stopwatch();
    open(template, arguments.records());
    return "\"records\":" + arguments.records() + "," + stopwatch.json() + "," + latencies;
  }

  static long[] single(ReplyingKafkaTemplate<String, String, String> template, int count) throws Exception {
    long[] nanos = new long[count];
    for (int index = 0; index < count; index++) {
      long began = System.nanoTime();
      template.sendAndReceive(new ProducerRecord<>(arguments.topic(), VALUES[index & 1023])).get();
      nanos[index] = System.nanoTime() - began;
    }
    return nanos;
  }

  static void open(ReplyingKafkaTemplate<String, String, String> template, int count) throws Exception {
    Semaphore free = new Semaphore(OPEN_REQUESTS);
    for (int index = 0; index < count; index++) {
      free.acquire();
      template
          .sendAndReceive(new ProducerRecord<>(arguments.topic(), VALUES[index & 1023]))
          .whenComplete((reply, error) -> {
            if (error != null) error.printStackTrace();
            free.release();
          });
    }
    free.acquire(OPEN_REQUESTS);
  }

  static String percentiles(long[] nanos) {
    Arrays.sort(nanos);
    return String.format(
        "\"p50Ms\":%.4f,\"p99Ms\":%.4f", nanos[nanos.length / 2] / 1e6, nanos[(int) (nanos.length * 0.99)] / 1e6);
  }

  static long peakMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    }
    return -1;
  }
}
