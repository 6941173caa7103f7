package io.moneonnx.verify.golden;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.ElementType;
import io.moneonnx.proto.golden.GoldenSketch;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/** Sketches of outputs as the message of {@code proto/golden.proto}. */
final class SketchMessage {
  private SketchMessage() {}

  static GoldenSketch of(Sketch sketch) {
    GoldenSketch.Builder message =
        GoldenSketch.newBuilder().setType(sketch.type().code()).addAllDims(sketch.dims());
    if (sketch instanceof Sketch.Exact exact) {
      message.setSha256(ByteString.copyFrom(HexFormat.of().parseHex(exact.sha256())));
    } else if (sketch instanceof Sketch.Floating floating) {
      add(floating.rows(), message);
    }
    return message.build();
  }

  private static void add(List<RowSketch> rows, GoldenSketch.Builder message) {
    boolean areFinite = rows.stream().allMatch(row -> row.notFinite() == 0);
    for (RowSketch row : rows) {
      message.addRms(row.rms());
      message.addFirst(row.first());
      message.addSecond(row.second());
      message.addLargest(row.largest());
      message.addLargestAt(row.largestAt());
      message.addDrawn(row.drawn());
      if (!areFinite) {
        message.addNotFinite(row.notFinite());
      }
    }
  }

  /** Throws {@link IllegalArgumentException} if its columns are not all of one length. */
  static Sketch read(GoldenSketch message) {
    ElementType type = ElementType.ofCode(message.getType());
    return message.getSha256().isEmpty()
        ? new Sketch.Floating(type, message.getDimsList(), rows(message))
        : new Sketch.Exact(
            type,
            message.getDimsList(),
            HexFormat.of().formatHex(message.getSha256().toByteArray()));
  }

  private static List<RowSketch> rows(GoldenSketch message) {
    int rows = message.getRmsCount();
    boolean areFinite = message.getNotFiniteCount() == 0;
    boolean areWhole =
        IntStream.of(
                message.getFirstCount(),
                message.getSecondCount(),
                message.getLargestCount(),
                message.getLargestAtCount(),
                message.getDrawnCount(),
                areFinite ? rows : message.getNotFiniteCount())
            .allMatch(count -> count == rows);
    if (!areWhole) {
      throw new IllegalArgumentException("is damaged: rows of an output lack figures");
    }
    return IntStream.range(0, rows)
        .mapToObj(
            row ->
                new RowSketch(
                    message.getRms(row),
                    message.getFirst(row),
                    message.getSecond(row),
                    message.getLargest(row),
                    message.getLargestAt(row),
                    message.getDrawn(row),
                    areFinite ? 0 : message.getNotFinite(row)))
        .toList();
  }
}
