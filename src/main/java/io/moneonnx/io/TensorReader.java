package io.moneonnx.io;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.proto.onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Tensors of one model file, however the file spells their elements. */
final class TensorReader {
  private final Path model;
  private final ExternalData external;

  TensorReader(Path model, ExternalData external) {
    this.model = model;
    this.external = external;
  }

  /** A tensor whose raw data has been left in the model file, at this range. */
  Tensor read(TensorProto proto, FileRange rawData, String what) {
    if (isExternal(proto)) {
      return read(proto, what);
    }
    ElementType type = type(proto, what);
    checkLength(proto, type, rawData.length(), what);
    return new Tensor.External(type, proto.getDimsList(), List.of(rawData));
  }

  /** Any other tensor; {@code what} is what messages call it. */
  Tensor read(TensorProto proto, String what) {
    ElementType type = type(proto, what);
    List<Long> dims = proto.getDimsList();
    if (type == ElementType.STRING) {
      return strings(proto, what);
    } else if (isExternal(proto)) {
      long wanted = type.bytes(Tensor.elements(dims));
      return new Tensor.External(type, dims, List.of(external.range(proto, what, wanted)));
    }
    ByteBuffer bytes =
        proto.getRawData().isEmpty()
            ? TypedData.bytes(type, proto)
            : proto.getRawData().asReadOnlyByteBuffer();
    checkLength(proto, type, bytes.remaining(), what);
    return new Tensor.Inline(type, dims, bytes);
  }

  /** What a tensor says besides its name, type, shape and elements. */
  static UnknownFields rest(TensorProto.Builder proto) {
    return UnknownFieldsCodec.of(
        proto
            .clearName()
            .clearDims()
            .clearDataType()
            .clearRawData()
            .clearFloatData()
            .clearInt32Data()
            .clearInt64Data()
            .clearDoubleData()
            .clearUint64Data()
            .clearStringData()
            .clearExternalData()
            .clearDataLocation());
  }

  private static boolean isExternal(TensorProto proto) {
    return proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
  }

  /** The element type, once it is clear that the type is known and the shape has a size. */
  ElementType type(TensorProto proto, String what) {
    List<Long> dims = proto.getDimsList();
    if (dims.stream().anyMatch(dim -> dim < 0)) {
      throw bad(what, "a size is negative in the shape " + dims);
    }
    try {
      ElementType type = ElementType.ofCode(proto.getDataType());
      type.bytes(Tensor.elements(dims));
      return type;
    } catch (IllegalArgumentException e) {
      throw bad(what, e.getMessage());
    } catch (ArithmeticException e) {
      throw bad(what, "no file holds the shape " + dims);
    }
  }

  private Tensor strings(TensorProto proto, String what) {
    long wanted = Tensor.elements(proto.getDimsList());
    if (isExternal(proto) || proto.getStringDataCount() != wanted) {
      throw bad(
          what,
          "wants %d strings in the model file, found %d"
              .formatted(wanted, proto.getStringDataCount()));
    }
    return new Tensor.Strings(
        proto.getDimsList(),
        proto.getStringDataList().stream().map(ByteString::asReadOnlyByteBuffer).toList());
  }

  private void checkLength(TensorProto proto, ElementType type, long found, String what) {
    long wanted = type.bytes(Tensor.elements(proto.getDimsList()));
    if (found != wanted) {
      throw bad(
          what,
          "%s%s wants %d bytes, found %d"
              .formatted(type.text(), proto.getDimsList(), wanted, found));
    }
  }

  private BadInputException bad(String what, String found) {
    return new BadInputException("%s: %s: %s".formatted(model, what, found));
  }
}
