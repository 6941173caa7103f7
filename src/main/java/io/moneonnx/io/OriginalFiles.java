package io.moneonnx.io;

import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Path;

/** Leaves big tensors in the files where they are, if a model in {@code folder} may refer there. */
final class OriginalFiles implements TensorSink {
  private final Path folder;

  OriginalFiles(Path folder) throws IOException {
    this.folder = folder.toRealPath();
  }

  @Override
  public boolean take(Tensor tensor, TensorProto.Builder proto) {
    if (tensor.byteSize() < SMALL
        || !(tensor instanceof Tensor.External external)
        || external.ranges().size() != 1
        || !external.ranges().get(0).file().startsWith(folder)) {
      return false;
    }
    FileRange range = external.ranges().get(0);
    String location = folder.relativize(range.file()).toString().replace('\\', '/');
    ExternalData.describe(proto, location, range.offset(), range.length());
    return true;
  }
}
