import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Kafka's own message classes as a filter: one JSON request a line on stdin, one JSON answer a line on stdout.
 *
 * {"op":"message","name":"ProduceRequest","version":3,"json":{…},"hex":"…"} answers with the bytes Kafka makes of the JSON
 * ("hex") and the bytes it makes of the message it read from our bytes ("again").
 * {"op":"definitions"} answers with all message definitions inside the jars, {"op":"errors"} with the table of errors.
 */
public class KafkaCodec {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.transaction.generated.",
        "org.apache.kafka.coordinator.share.generated.",
    };
    private static final ObjectMapper MAPPER = JsonMapper.builder()
        .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
        .enable(JsonReadFeature.ALLOW_TRAILING_COMMA)
        .build();
    private static final Map<String, Class<?>> CLASSES = new HashMap<>();

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
                case "message" -> message(request);
                case "definitions" -> definitions();
                case "errors" -> errors();
                default -> throw new IllegalArgumentException("unknown op in " + request);
            };
        } catch (Exception | LinkageError failure) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            return MAPPER.createObjectNode().put("error", cause.toString());
        }
    }

    private static JsonNode message(JsonNode request) throws Exception {
        short version = (short) request.get("version").asInt();
        Class<?> type = messageClass(request.get("name").asText());
        Method read = Class.forName(type.getName() + "JsonConverter").getMethod("read", JsonNode.class, short.class);
        var fromJson = (Message) read.invoke(null, request.get("json"), version);
        var fromBytes = (Message) type.getConstructor().newInstance();
        byte[] bytes = HexFormat.of().parseHex(request.get("hex").asText());
        var accessor = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
        fromBytes.read(accessor, version);
        ObjectNode answer = MAPPER.createObjectNode();
        answer.put("hex", hexOf(fromJson, version));
        answer.put("again", hexOf(fromBytes, version));
        answer.put("unread", accessor.remaining());
        return answer;
    }

    private static String hexOf(Message message, short version) {
        var cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return HexFormat.of().formatHex(buffer.array(), 0, buffer.position());
    }

    private static Class<?> messageClass(String name) throws ClassNotFoundException {
        Class<?> known = CLASSES.get(name);
        if (known != null) return known;
        for (String start : PACKAGES) {
            for (String end : new String[] {"Data", ""}) {
                try {
                    Class<?> found = Class.forName(start + name + end);
                    CLASSES.put(name, found);
                    return found;
                } catch (ClassNotFoundException absent) {
                    // The next package may have it.
                }
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static JsonNode definitions() throws Exception {
        ArrayNode all = MAPPER.createArrayNode();
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!path.endsWith(".jar")) continue;
            try (JarFile jar = new JarFile(path)) {
                for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
                    JarEntry entry = entries.nextElement();
                    if (!entry.getName().matches("common/message/.*\\.json")) continue;
                    all.addObject()
                        .put("jar", new File(path).getName())
                        .set("definition", MAPPER.readTree(jar.getInputStream(entry)));
                }
            }
        }
        return MAPPER.createObjectNode().set("definitions", all);
    }

    private static JsonNode errors() {
        ArrayNode all = MAPPER.createArrayNode();
        for (Errors error : Errors.values()) {
            all.addObject()
                .put("code", error.code())
                .put("name", error.name())
                .put("retriable", error.exception() instanceof RetriableException)
                .put("staleMetadata", error.exception() instanceof InvalidMetadataException);
        }
        return MAPPER.createObjectNode().set("errors", all);
    }
}
