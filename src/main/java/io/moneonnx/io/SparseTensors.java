package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.SparseTensorProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Sparse tensors of one model file, made dense: the elements that they leave out are 0. */
final class SparseTensors {
  /** So many bytes are the most that one sparse tensor may stand for. */
  static final long MOST_BYTES = 64L << 20;

  private final Path model;
  private final TensorReader tensors;

  SparseTensors(Path model, TensorReader tensors) {
    this.model = model;
    this.tensors = tensors;
  }

  /**
   * All elements of a sparse tensor.
   *
   * @param what what messages call it
   * @throws BadInputException if these are too many, or not of whole bytes, or if values and
   *     indices contradict each other
   */
  Tensor dense(SparseTensorProto proto, String what) {
    List<Long> dims = proto.getDimsList();
    ElementType type =
        tensors.type(
            proto.getValues().toBuilder().clearDims().addAllDims(dims).buildPartial(), what);
    if (type == ElementType.STRING || type.bits() % 8 != 0) {
      throw bad(what, "is sparse, of type %s; expected whole bytes".formatted(type.text()));
    } else if (type.bytes(Tensor.elements(dims)) > MOST_BYTES) {
      throw bad(
          what,
          "is sparse, and %s%s has %,d bytes when dense; expected at most %,d"
              .formatted(type.text(), dims, type.bytes(Tensor.elements(dims)), MOST_BYTES));
    }
    Tensor values = tensors.read(proto.getValues(), what + ", values");
    long[] places = places(proto.getIndices(), dims, values.elements(), what);
    int width = type.bits() / 8;
    ByteBuffer given = values.bytes();
    ByteBuffer all = ByteBuffer.allocate((int) type.bytes(Tensor.elements(dims)));
    for (int i = 0; i < places.length; i++) {
      all.put((int) places[i] * width, given, i * width, width);
    }
    return new Tensor.Inline(type, dims, all);
  }

  /** Where the values are among all elements, row by row. */
  private long[] places(TensorProto proto, List<Long> dims, long values, String what) {
    Tensor indices = tensors.read(proto, what + ", indices");
    boolean isFlat = indices.dims().equals(List.of(values));
    if (indices.type() != ElementType.INT64
        || values > Tensor.elements(dims)
        || (!isFlat && !indices.dims().equals(List.of(values, (long) dims.size())))) {
      throw bad(
          what,
          "is sparse, with indices %s%s of %d values in the shape %s"
              .formatted(indices.type().text(), indices.dims(), values, dims));
    }
    List<Long> axes = isFlat ? List.of(Tensor.elements(dims)) : dims;
    long[] given = indices.toLongs();
    long[] places = new long[(int) values];
    for (int i = 0; i < given.length; i++) {
      long size = axes.get(i % axes.size());
      if (given[i] < 0 || given[i] >= size) {
        throw bad(what, "is sparse, with an index %d of %d".formatted(given[i], size));
      }
      places[i / axes.size()] = places[i / axes.size()] * size + given[i];
    }
    return places;
  }

  private BadInputException bad(String what, String found) {
    return new BadInputException("%s: %s %s".formatted(model, what, found));
  }
}
