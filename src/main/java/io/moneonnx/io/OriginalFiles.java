package io.moneonnx.io;

import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Path;

/** Leaves big tensors in the files where they are, if a model in {@code folder} may refer there. */
final class OriginalFiles implements TensorSink {
  private final Path folder;
  private final TensorSink others;

  OriginalFiles(Path folder, TensorSink others) throws IOException {
    this.folder = folder.toRealPath();
    this.others = others;
  }

  @Override
  public void put(Tensor tensor, TensorProto.Builder proto) throws IOException {
    if (tensor instanceof Tensor.External external
        && external.ranges().size() == 1
        && external.byteSize() >= SMALL
        && external.ranges().get(0).file().startsWith(folder)) {
      FileRange range = external.ranges().get(0);
      String location = folder.relativize(range.file()).toString().replace('\\', '/');
      ExternalData.describe(proto, location, range.offset(), range.length());
    } else {
      others.put(tensor, proto);
    }
  }
}
