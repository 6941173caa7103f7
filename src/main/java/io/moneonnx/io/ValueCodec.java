package io.moneonnx.io;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.proto.onnx.TensorShapeProto;
import io.moneonnx.proto.onnx.TypeProto;
import io.moneonnx.proto.onnx.ValueInfoProto;
import java.util.List;
import java.util.Optional;

/** Declarations of values, between protobuf and {@link Value}. */
final class ValueCodec {
  private ValueCodec() {}

  static Value read(ValueInfoProto proto) {
    Value plain = plain(proto);
    boolean complete = write(plain).equals(proto);
    UnknownFields rest =
        complete ? UnknownFields.NONE : UnknownFieldsCodec.of(proto.toBuilder().clearName());
    return new Value(plain.name(), plain.type(), plain.shape(), rest);
  }

  private static Value plain(ValueInfoProto proto) {
    TypeProto.Tensor tensor = proto.getType().getTensorType();
    Optional<ElementType> type = ElementType.find(tensor.getElemType());
    Optional<List<Dimension>> shape =
        type.isPresent() && tensor.hasShape()
            ? Optional.of(tensor.getShape().getDimList().stream().map(ValueCodec::read).toList())
            : Optional.empty();
    return new Value(proto.getName(), type, shape, UnknownFields.NONE);
  }

  private static Dimension read(TensorShapeProto.Dimension proto) {
    return proto.hasDimValue() && proto.getDimValue() >= 0
        ? Dimension.of(proto.getDimValue())
        : Dimension.of(proto.getDimParam());
  }

  /** The rest may hold an older type and shape, with what else the file says of them. */
  static ValueInfoProto write(Value value) {
    ValueInfoProto.Builder proto =
        UnknownFieldsCodec.into(ValueInfoProto.newBuilder(), value.rest());
    proto.setName(value.name());
    if (value.type().isPresent()) {
      TypeProto.Tensor.Builder tensor = proto.getTypeBuilder().getTensorTypeBuilder();
      tensor.setElemType(value.type().get().code());
      value
          .shape()
          .ifPresentOrElse(shape -> write(shape, tensor.getShapeBuilder()), tensor::clearShape);
    }
    return proto.build();
  }

  private static void write(List<Dimension> shape, TensorShapeProto.Builder proto) {
    if (proto.getDimCount() != shape.size()) {
      proto.clearDim();
      shape.forEach(dimension -> proto.addDimBuilder());
    }
    for (int axis = 0; axis < shape.size(); axis++) {
      write(shape.get(axis), proto.getDimBuilder(axis));
    }
  }

  private static void write(Dimension dimension, TensorShapeProto.Dimension.Builder proto) {
    if (dimension.isFixed()) {
      proto.setDimValue(dimension.size());
    } else if (dimension.symbol().isEmpty()) {
      proto.clearValue();
    } else {
      proto.setDimParam(dimension.symbol());
    }
  }
}
