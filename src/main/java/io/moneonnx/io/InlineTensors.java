package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Puts elements into the model itself, as slices of buffers and mapped files: no copies. */
final class InlineTensors implements TensorSink {
  private final SourceFiles sources;
  private long total;

  InlineTensors(SourceFiles sources) {
    this.sources = sources;
  }

  @Override
  public void put(Tensor tensor, TensorProto.Builder proto) throws IOException {
    total += tensor.byteSize();
    if (total > Integer.MAX_VALUE) {
      throw tooBig();
    }
    if (tensor instanceof Tensor.Strings strings) {
      strings.values().forEach(s -> proto.addStringData(UnsafeByteOperations.unsafeWrap(s)));
    } else if (tensor instanceof Tensor.External external) {
      List<ByteString> parts = new ArrayList<>(external.ranges().size());
      for (FileRange range : external.ranges()) {
        parts.add(sources.mapped(range));
      }
      proto.setRawData(ByteString.copyFrom(parts));
    } else {
      proto.setRawData(UnsafeByteOperations.unsafeWrap(tensor.bytes()));
    }
  }

  static BadInputException tooBig() {
    return new BadInputException(
        "with its weights inside, the model would pass the 2 GiB that an ONNX file can have;"
            + " they must go to a data file");
  }
}
