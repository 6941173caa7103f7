package io.moneonnx.verify;

import io.moneonnx.canonical.Branches;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Holds a file whose layers are in the branches of an {@code If} against the model of one branch:
 * proofs are of that model, and this says that they are of the file.
 *
 * @param condition which branch
 */
public record BranchCheck(Branches branches, boolean condition, RunOptions options) {
  private static final double BOUND = 1e-5;

  /**
   * What the file computes otherwise than the model of its branch; empty if nothing.
   *
   * @throws BadInputException if an input that only the other branch reads has no shape
   */
  public Optional<String> difference(Path file, List<Map<String, Tensor>> feeds) {
    Model whole = OnnxReader.read(file);
    Model taken = branches.taken(condition);
    List<String> outputs = Proof.floatingOutputs(taken.graph());
    Path folder = file.toAbsolutePath().getParent();
    try (Session given = Session.open(file, options);
        Session alone =
            Session.open(file + " " + Branches.name(condition), taken, folder, options)) {
      for (Map<String, Tensor> feed : feeds) {
        Map<String, Tensor> expected = alone.run(feed, outputs);
        Map<String, Tensor> found = given.run(filled(whole, feed), outputs);
        for (String output : outputs) {
          double error = Difference.relative(found.get(output), expected.get(output));
          if (!(error <= BOUND)) {
            return Optional.of(
                "'%s' of the %s is off by %.2g relative from that branch alone"
                    .formatted(output, Branches.name(condition), error));
          }
        }
      }
    }
    return Optional.empty();
  }

  /** With the condition, and zeros for what only the other branch reads. */
  private Map<String, Tensor> filled(Model whole, Map<String, Tensor> feed) {
    Map<String, Tensor> filled = new HashMap<>(feed);
    for (Value input : whole.graph().feeds()) {
      filled.computeIfAbsent(input.name(), name -> zeros(input));
    }
    Tensor.Inline decided = (Tensor.Inline) filled.get(branches.condition());
    ByteBuffer bytes = ByteBuffer.allocate(decided.bytes().remaining());
    bytes.put(0, (byte) (condition ? 1 : 0));
    filled.put(branches.condition(), new Tensor.Inline(decided.type(), decided.dims(), bytes));
    return filled;
  }

  private static Tensor zeros(Value input) {
    if (input.type().isEmpty() || input.shape().isEmpty()) {
      throw new BadInputException(
          "input '%s', which the other branch reads: expected a type and a shape, found none;"
                  .formatted(input.name())
              + " declare them, or say --no-verify");
    }
    ElementType type = input.type().get();
    List<Long> dims =
        input.shape().get().stream()
            .map(dimension -> dimension.isFixed() ? dimension.size() : 1L)
            .toList();
    ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(Tensor.elements(dims)));
    return new Tensor.Inline(type, dims, bytes);
  }
}
