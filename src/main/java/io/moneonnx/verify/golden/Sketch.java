package io.moneonnx.verify.golden;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** What is kept of an output of one run. */
public sealed interface Sketch {
  ElementType type();

  List<Long> dims();

  /** An output whose elements must be the very same: integers, and whatever else is no number. */
  record Exact(ElementType type, List<Long> dims, String sha256) implements Sketch {
    public Exact {
      dims = List.copyOf(dims);
    }

    static Exact of(Tensor output) {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(output.bytes());
        return new Exact(output.type(), output.dims(), HexFormat.of().formatHex(digest.digest()));
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A floating output, row by row. */
  record Floating(ElementType type, List<Long> dims, List<RowSketch> rows) implements Sketch {
    public Floating {
      dims = List.copyOf(dims);
      rows = List.copyOf(rows);
    }
  }

  /** Type and shape as messages show them. */
  default String signature() {
    return type().text() + dims();
  }
}
