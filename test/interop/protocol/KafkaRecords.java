import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractStickyAssignor.MemberData;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.common.utils.Utils;

/**
 * Kafka's own record batches and hashes as a filter: one JSON request a line on stdin, one JSON answer a line on stdout.
 * Bytes are base64, a record is [offset, timestamp, key, value, [[header key, header value], …]].
 *
 * {"op":"read","bytes":"…"} answers with every batch: its header, whether its checksum is right, and its records.
 * {"op":"write",…} answers with the bytes of a batch of the given records, {"op":"marker",…} with a transaction marker,
 * {"op":"empty",…} with a batch that compaction left without records.
 * {"op":"hash","keys":[…],"texts":[…]} answers with murmur2, CRC-32C and String.hashCode.
 * {"op":"sticky",…} answers with the user data of the sticky assignor, and what it reads in ours.
 */
public class KafkaRecords {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int BUFFER_BYTES = 1024;

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(MAPPER.writeValueAsString(answer(MAPPER.readTree(line))));
        }
        output.flush();
    }

    private static JsonNode answer(JsonNode request) {
        try {
            return switch (request.get("op").asText()) {
                case "read" -> read(request);
                case "write" -> written(write(request));
                case "marker" -> written(marker(request));
                case "empty" -> written(empty(request));
                case "hash" -> hash(request);
                case "sticky" -> sticky(request);
                default -> throw new IllegalArgumentException("unknown op in " + request);
            };
        } catch (Exception | LinkageError failure) {
            return MAPPER.createObjectNode().put("error", failure.toString());
        }
    }

    private static JsonNode read(JsonNode request) throws Exception {
        ObjectNode answer = MAPPER.createObjectNode();
        ArrayNode batches = answer.putArray("batches");
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(request, "bytes"))).batches()) {
            batch.ensureValid();
            ObjectNode told = batches.addObject();
            told.put("sizeBytes", batch.sizeInBytes());
            told.put("crc", batch.checksum());
            told.put("baseOffset", batch.baseOffset());
            told.put("lastOffset", batch.lastOffset());
            told.put("leaderEpoch", batch.partitionLeaderEpoch());
            told.put("codec", batch.compressionType().name);
            told.put("timestampType", batch.timestampType().name);
            told.put("maxTimestamp", batch.maxTimestamp());
            told.put("producerId", batch.producerId());
            told.put("producerEpoch", batch.producerEpoch());
            told.put("baseSequence", batch.baseSequence());
            told.put("lastSequence", batch.lastSequence());
            told.put("transactional", batch.isTransactional());
            told.put("control", batch.isControlBatch());
            told.put("count", batch.countOrNull());
            ArrayNode records = told.putArray("records");
            for (Record record : batch) {
                record.ensureValid();
                records.add(record(record));
                if (batch.isControlBatch()) told.set("marker", markerOf(record));
            }
        }
        return answer;
    }

    private static JsonNode record(Record record) {
        ArrayNode told = MAPPER.createArrayNode().add(record.offset()).add(record.timestamp());
        told.add(record.hasKey() ? text(record.key()) : null);
        told.add(record.hasValue() ? text(record.value()) : null);
        ArrayNode headers = told.addArray();
        for (Header header : record.headers()) {
            byte[] value = header.value();
            headers.addArray().add(header.key()).add(value == null ? null : text(ByteBuffer.wrap(value)));
        }
        return told;
    }

    private static JsonNode markerOf(Record record) {
        EndTransactionMarker marker = EndTransactionMarker.deserialize(record);
        ControlRecordType type = ControlRecordType.parse(record.key());
        return MAPPER.createObjectNode().put("type", type.name()).put("coordinatorEpoch", marker.coordinatorEpoch());
    }

    private static ByteBuffer write(JsonNode request) {
        long horizon = request.path("deleteHorizonMs").asLong(RecordBatch.NO_TIMESTAMP);
        var output = new ByteBufferOutputStream(BUFFER_BYTES);
        var builder = new MemoryRecordsBuilder(
            output,
            RecordBatch.CURRENT_MAGIC_VALUE,
            compression(request),
            TimestampType.forName(request.get("timestampType").asText()),
            request.get("baseOffset").asLong(),
            request.get("logAppendTime").asLong(),
            request.get("producerId").asLong(),
            (short) request.get("producerEpoch").asInt(),
            request.get("baseSequence").asInt(),
            request.get("transactional").asBoolean(),
            false,
            request.get("leaderEpoch").asInt(),
            0,
            horizon
        );
        for (JsonNode record : request.get("records")) {
            List<Header> headers = new ArrayList<>();
            for (JsonNode header : record.get(4)) headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
            builder.appendWithOffset(
                record.get(0).asLong(),
                record.get(1).asLong(),
                bytes(record.get(2)),
                bytes(record.get(3)),
                headers.toArray(new Header[0])
            );
        }
        return builder.build().buffer();
    }

    private static Compression compression(JsonNode request) {
        JsonNode level = request.path("level");
        return switch (request.get("codec").asText()) {
            case "gzip" -> level.isInt() ? Compression.gzip().level(level.asInt()).build() : Compression.gzip().build();
            case "lz4" -> level.isInt() ? Compression.lz4().level(level.asInt()).build() : Compression.lz4().build();
            case "zstd" -> level.isInt() ? Compression.zstd().level(level.asInt()).build() : Compression.zstd().build();
            default -> Compression.of(request.get("codec").asText()).build();
        };
    }

    private static ByteBuffer marker(JsonNode request) {
        var type = ControlRecordType.valueOf(request.get("type").asText());
        return MemoryRecords.withEndTransactionMarker(
            request.get("baseOffset").asLong(),
            request.get("timestamp").asLong(),
            request.get("leaderEpoch").asInt(),
            request.get("producerId").asLong(),
            (short) request.get("producerEpoch").asInt(),
            new EndTransactionMarker(type, request.get("coordinatorEpoch").asInt())
        ).buffer();
    }

    private static ByteBuffer empty(JsonNode request) {
        ByteBuffer buffer = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(
            buffer,
            RecordBatch.CURRENT_MAGIC_VALUE,
            request.get("producerId").asLong(),
            (short) request.get("producerEpoch").asInt(),
            request.get("baseSequence").asInt(),
            request.get("baseOffset").asLong(),
            request.get("lastOffset").asLong(),
            request.get("leaderEpoch").asInt(),
            TimestampType.CREATE_TIME,
            request.get("timestamp").asLong(),
            false,
            false
        );
        buffer.flip();
        return buffer;
    }

    private static JsonNode hash(JsonNode request) {
        ObjectNode answer = MAPPER.createObjectNode();
        ArrayNode murmur2 = answer.putArray("murmur2");
        ArrayNode crc32c = answer.putArray("crc32c");
        ArrayNode hashCode = answer.putArray("hashCode");
        for (JsonNode key : request.get("keys")) {
            byte[] bytes = bytes(key);
            murmur2.add(Utils.murmur2(bytes));
            crc32c.add(Crc32C.compute(bytes, 0, bytes.length));
        }
        for (JsonNode text : request.get("texts")) hashCode.add(text.asText().hashCode());
        return answer;
    }

    private static JsonNode sticky(JsonNode request) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        for (JsonNode each : request.get("partitions")) partitions.add(new TopicPartition(each.get(0).asText(), each.get(1).asInt()));
        var data = new MemberData(partitions, Optional.of(request.get("generation").asInt()));
        Method write = StickyAssignor.class.getDeclaredMethod("serializeTopicPartitionAssignment", MemberData.class);
        Method read = StickyAssignor.class.getDeclaredMethod("memberData", Subscription.class);
        write.setAccessible(true);
        read.setAccessible(true);
        ObjectNode answer = MAPPER.createObjectNode();
        answer.put("bytes", text((ByteBuffer) write.invoke(null, data)));
        ArrayNode members = answer.putArray("read");
        for (JsonNode userData : request.get("userData")) {
            var subscription = new Subscription(List.of(), ByteBuffer.wrap(bytes(userData)));
            var member = (MemberData) read.invoke(new StickyAssignor(), subscription);
            ObjectNode told = members.addObject().put("generation", member.generation.orElse(-1));
            ArrayNode owned = told.putArray("partitions");
            for (TopicPartition each : member.partitions) owned.addArray().add(each.topic()).add(each.partition());
        }
        return answer;
    }

    private static JsonNode written(ByteBuffer buffer) {
        return MAPPER.createObjectNode().put("bytes", text(buffer));
    }

    private static byte[] bytes(JsonNode request, String name) {
        return bytes(request.get(name));
    }

    private static byte[] bytes(JsonNode node) {
        return node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    private static String text(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
