package io.moneonnx.verify.golden;

import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/** Reads what is kept of each row of a floating output; {@code double} is read as float32. */
final class RowReader {
  private static final long FIRST_SIGNS = 1;
  private static final long SECOND_SIGNS = 2;
  private static final long PLACES = 3;

  private final float[] elements;
  private final OutputRows rows;
  private final Signs first;
  private final Signs second;
  private final int[] drawnAt;

  RowReader(Tensor output, OutputRows rows) {
    this.elements = output.toFloats();
    this.rows = rows;
    this.first = new Signs(FIRST_SIGNS, rows.size());
    this.second = new Signs(SECOND_SIGNS, rows.size());
    this.drawnAt = drawnAt(rows);
  }

  /** Row after row the next number of the generator, without its sign, modulo the size of a row. */
  private static int[] drawnAt(OutputRows rows) {
    SplittableRandom random = new SplittableRandom(PLACES);
    int[] places = new int[rows.count()];
    for (int row = 0; row < places.length; row++) {
      places[row] = (int) ((random.nextLong() & Long.MAX_VALUE) % rows.size());
    }
    return places;
  }

  /** All rows, as they are recorded. */
  List<RowSketch> all() {
    List<RowSketch> all = new ArrayList<>();
    for (int row = 0; row < rows.count(); row++) {
      all.add(read(row, largestAt(row)));
    }
    return all;
  }

  private int largestAt(int row) {
    int best = 0;
    for (int i = 1; i < rows.size(); i++) {
      best = Math.abs(finite(row, i)) > Math.abs(finite(row, best)) ? i : best;
    }
    return best;
  }

  private float element(int row, int place) {
    return elements[rows.index(row, place)];
  }

  private float finite(int row, int place) {
    float element = element(row, place);
    return Float.isFinite(element) ? element : 0;
  }

  /** A row, with the element at this place in the stead of the largest. */
  RowSketch read(int row, int largestAt) {
    double squares = 0;
    double one = 0;
    double other = 0;
    for (int i = 0; i < rows.size(); i++) {
      double y = finite(row, i);
      squares += y * y;
      one += first.times(i, y);
      other += second.times(i, y);
    }
    double root = Math.sqrt(rows.size());
    return new RowSketch(
        (float) (Math.sqrt(squares) / root),
        (float) (one / root),
        (float) (other / root),
        finite(row, largestAt),
        largestAt,
        finite(row, drawnAt[row]),
        notFinite(row));
  }

  /**
   * CRC-32 over place and kind (0 NaN, 1 infinity, 2 minus infinity), two big-endian int32 each.
   */
  private int notFinite(int row) {
    CRC32 sum = new CRC32();
    for (int i = 0; i < rows.size(); i++) {
      float y = element(row, i);
      if (!Float.isFinite(y)) {
        int kind = Float.isNaN(y) ? 0 : y > 0 ? 1 : 2;
        sum.update(ByteBuffer.allocate(2 * Integer.BYTES).putInt(i).putInt(kind).flip());
      }
    }
    return (int) sum.getValue();
  }
}
