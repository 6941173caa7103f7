package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Draft;
import io.moneonnx.profile.StatisticsFile.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The down projections of a narrowed model that follow from no profile. On disk they are a
 * safetensors file: for each expert the neurons that it keeps, {@code BLOCK.EXPERT.kept [width]},
 * and {@code BLOCK.EXPERT.down [hidden, width]}.
 *
 * @param model fingerprint of the model that was narrowed
 */
public record DownProjections(String model, List<Expert> experts) {
  public DownProjections {
    experts = List.copyOf(experts);
  }

  /**
   * One expert.
   *
   * @param kept counts {@code [width]}
   * @param down row by row {@code [hidden, width]}
   */
  public record Expert(String block, int expert, Values kept, Values down) {
    public Expert {
      if (kept.type() != Values.Type.COUNT
          || down.type() != Values.Type.NUMBER
          || kept.size() == 0
          || down.size() % kept.size() != 0) {
        throw new IllegalArgumentException(
            "block '%s': expert %d: %d neurons and a matrix of %d numbers"
                .formatted(block, expert, kept.size(), down.size()));
      }
    }

    private Outline outline() {
      return new Outline(block, expert, down.size() / kept.size(), kept.size());
    }
  }

  /** As metadata have it. */
  private record Outline(String name, int expert, int hidden, int width) {
    void addTo(SafetensorsHeader file) throws IOException {
      String prefix = name + "." + expert + ".";
      file.add(prefix + "kept", Values.Type.COUNT, List.of(width), width);
      file.add(prefix + "down", Values.Type.NUMBER, sizes(), BlockOutline.elements(sizes()));
    }

    List<Integer> sizes() {
      return List.of(hidden, width);
    }

    long bytes() {
      return Math.multiplyExact(BlockOutline.elements(sizes()) + width, Values.BYTES);
    }

    Expert read(StatisticsReader file, long from) throws IOException {
      ByteBuffer data = file.tensors(name, from, bytes());
      Values kept = StatisticsReader.next(data, Values.Type.COUNT, List.of(width));
      Values down = StatisticsReader.next(data, Values.Type.NUMBER, sizes());
      int wrong = down.firstUnsound(width, Float.MAX_VALUE, row -> true);
      if (wrong < down.size()) {
        throw new BadInputException(
            "is damaged: block '%s': expert %d: expected finite numbers, found %s"
                .formatted(name, expert, down.get(wrong)));
      }
      return new Expert(name, expert, kept, down);
    }
  }

  private record Metadata(String model, List<Outline> experts) {}

  /** Writes the file, or nothing; a present one is replaced. */
  public void write(Path file) {
    List<Outline> outlines = experts.stream().map(Expert::outline).toList();
    Draft.write(
        file,
        path -> {
          SafetensorsHeader header =
              StatisticsFile.header(Kind.DOWN_PROJECTIONS, new Metadata(model, outlines));
          for (Outline outline : outlines) {
            outline.addTo(header);
          }
          StatisticsFile.write(
              path,
              header,
              () ->
                  experts.stream()
                      .flatMap(expert -> Stream.of(expert.kept(), expert.down()))
                      .iterator());
        });
  }

  /**
   * Reads such a file; the matrices stay in it, which is mapped.
   *
   * @throws BadInputException if it is none, damaged, or cannot be read
   */
  public static DownProjections read(Path file) {
    return StatisticsReader.read(file, Kind.DOWN_PROJECTIONS, DownProjections::read);
  }

  private static DownProjections read(StatisticsReader file) throws IOException {
    Metadata metadata = file.metadata(Metadata.class);
    SafetensorsHeader wanted = file.wanted();
    for (Outline outline : metadata.experts) {
      outline.addTo(wanted);
    }
    file.requireAll(wanted);
    List<Expert> experts = new ArrayList<>();
    long from = 0;
    for (Outline outline : metadata.experts) {
      experts.add(outline.read(file, from));
      from += outline.bytes();
    }
    return new DownProjections(metadata.model, experts);
  }
}
