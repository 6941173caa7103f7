package io.moneonnx.verify.golden;

/**
 * What is kept of a row of {@code n} elements {@code y}; those that are not finite count as 0. All
 * but places and hashes are of the size of one element.
 *
 * @param rms {@code sqrt(sum y^2 / n)}
 * @param first {@code sum s y / sqrt(n)}, {@code s} the first vector of {@link Signs}
 * @param second the same with the second vector
 * @param largest the element whose magnitude was the largest when it was recorded
 * @param largestAt its place in the row
 * @param drawn an element at a place that was drawn
 * @param notFinite a hash of what is not finite and where, 0 for nothing
 */
public record RowSketch(
    float rms,
    float first,
    float second,
    float largest,
    int largestAt,
    float drawn,
    int notFinite) {
  float value(Figure figure) {
    return switch (figure) {
      case RMS -> rms;
      case FIRST -> first;
      case SECOND -> second;
      case LARGEST -> largest;
      case DRAWN -> drawn;
    };
  }
}
