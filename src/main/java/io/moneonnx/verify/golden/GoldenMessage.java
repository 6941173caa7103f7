package io.moneonnx.verify.golden;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.golden.GoldenChoices;
import io.moneonnx.proto.golden.GoldenContent;
import io.moneonnx.proto.golden.GoldenFact;
import io.moneonnx.proto.golden.GoldenFeed;
import io.moneonnx.proto.golden.GoldenOutput;
import io.moneonnx.proto.golden.GoldenRouter;
import io.moneonnx.proto.golden.GoldenRun;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Golden outputs as the message of {@code proto/golden.proto}. */
final class GoldenMessage {
  private static final int VERSION = 1;

  private GoldenMessage() {}

  static GoldenContent of(Golden golden) {
    GoldenContent.Builder message =
        GoldenContent.newBuilder().setVersion(VERSION).setTokens(golden.tokens().orElse(""));
    golden
        .origin()
        .forEach(
            (name, text) -> message.addOrigin(GoldenFact.newBuilder().setName(name).setText(text)));
    for (Golden.Output output : golden.outputs()) {
      message.addOutputs(
          GoldenOutput.newBuilder()
              .setName(output.name())
              .setPrecision(output.precision().map(ElementType::code).orElse(0)));
    }
    for (Golden.Router router : golden.routers()) {
      message.addRouters(
          GoldenRouter.newBuilder()
              .setName(router.name())
              .setExperts(router.experts())
              .setTopK(router.topK())
              .setPrecision(router.precision().map(ElementType::code).orElse(0)));
    }
    golden.runs().forEach(run -> message.addRuns(message(run)));
    return message.build();
  }

  private static GoldenRun message(Golden.Run run) {
    GoldenRun.Builder message = GoldenRun.newBuilder().addAllSamples(run.fed().samples());
    run.fed().feeds().forEach((name, feed) -> message.addFeeds(message(name, feed)));
    run.sketches().forEach(sketch -> message.addSketches(SketchMessage.of(sketch)));
    for (int[] hashes : run.choices()) {
      GoldenChoices.Builder choices = message.addChoicesBuilder();
      for (int hash : hashes) {
        choices.addHashes(hash);
      }
    }
    return message.build();
  }

  private static GoldenFeed message(String name, Tensor feed) {
    GoldenFeed.Builder message =
        GoldenFeed.newBuilder().setName(name).setType(feed.type().code()).addAllDims(feed.dims());
    return isZero(feed)
        ? message.build()
        : message.setData(ByteString.copyFrom(feed.bytes())).build();
  }

  private static boolean isZero(Tensor feed) {
    ByteBuffer bytes = feed.bytes();
    while (bytes.hasRemaining()) {
      if (bytes.get() != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads a message.
   *
   * @throws IllegalArgumentException if it is of another version, or what it holds does not fit
   *     together
   */
  static Golden read(byte[] bytes) throws InvalidProtocolBufferException {
    GoldenContent message = GoldenContent.parseFrom(bytes);
    if (message.getVersion() != VERSION) {
      throw new IllegalArgumentException(
          "is of version %d; this program reads version %d"
              .formatted(message.getVersion(), VERSION));
    }
    Map<String, String> origin = new LinkedHashMap<>();
    message.getOriginList().forEach(fact -> origin.put(fact.getName(), fact.getText()));
    List<Golden.Output> outputs =
        message.getOutputsList().stream()
            .map(output -> new Golden.Output(output.getName(), type(output.getPrecision())))
            .toList();
    List<Golden.Router> routers =
        message.getRoutersList().stream()
            .map(
                router ->
                    new Golden.Router(
                        router.getName(),
                        router.getExperts(),
                        router.getTopK(),
                        type(router.getPrecision())))
            .toList();
    List<Golden.Run> runs = new ArrayList<>();
    for (GoldenRun run : message.getRunsList()) {
      require(run.getSketchesCount() == outputs.size(), "outputs", run.getSketchesCount());
      require(run.getChoicesCount() == routers.size(), "routers", run.getChoicesCount());
      runs.add(run(run));
    }
    require(!runs.isEmpty(), "runs", 0);
    Optional<String> tokens = Optional.of(message.getTokens()).filter(name -> !name.isEmpty());
    return new Golden(origin, tokens, outputs, routers, runs);
  }

  private static void require(boolean holds, String what, int found) {
    if (!holds) {
      throw new IllegalArgumentException(
          "is damaged: found %d %s in a run, expected others".formatted(found, what));
    }
  }

  private static Optional<ElementType> type(int code) {
    return code == 0 ? Optional.empty() : Optional.of(ElementType.ofCode(code));
  }

  private static Golden.Run run(GoldenRun message) {
    Map<String, Tensor> feeds = new LinkedHashMap<>();
    message.getFeedsList().forEach(feed -> feeds.put(feed.getName(), tensor(feed)));
    return new Golden.Run(
        new Batch(feeds, Optional.empty(), message.getSamplesList()),
        message.getSketchesList().stream().map(SketchMessage::read).toList(),
        message.getChoicesList().stream()
            .map(choices -> choices.getHashesList().stream().mapToInt(Integer::intValue).toArray())
            .toList());
  }

  private static Tensor tensor(GoldenFeed message) {
    ElementType type = ElementType.ofCode(message.getType());
    long size = type.bytes(Tensor.elements(message.getDimsList()));
    ByteBuffer bytes =
        message.getData().isEmpty()
            ? ByteBuffer.allocate(Math.toIntExact(size))
            : message.getData().asReadOnlyByteBuffer();
    return new Tensor.Inline(type, message.getDimsList(), bytes);
  }
}
