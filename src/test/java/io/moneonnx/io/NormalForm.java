package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.moneonnx.graph.ElementType;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.StringStringEntryProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Brings models that say the same into the same form, so that they can be compared. */
final class NormalForm {
  private final Path folder;

  private NormalForm(Path folder) {
    this.folder = folder;
  }

  /** {@code model} with all elements as raw data and without what a reader may drop. */
  static ModelProto of(ModelProto model, Path folder) throws IOException {
    ModelProto.Builder normal = model.toBuilder();
    new NormalForm(folder).normalise(normal);
    return normal.build();
  }

  private void normalise(Message.Builder message) throws IOException {
    for (Map.Entry<FieldDescriptor, Object> field :
        new TreeMap<>(message.getAllFields()).entrySet()) {
      FieldDescriptor key = field.getKey();
      if (key.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        normaliseField(message, key);
      } else if (field.getValue().equals("") || field.getValue().equals("ai.onnx")) {
        message.clearField(key);
      }
    }
    if (message instanceof TensorProto.Builder tensor) {
      elementsAsRawData(tensor);
    } else if (message instanceof AttributeProto.Builder attribute) {
      attribute.clearDocString();
      if (attribute.hasT()) {
        attribute.getTBuilder().clearName().clearDocString();
      }
    }
  }

  private void normaliseField(Message.Builder message, FieldDescriptor key) throws IOException {
    if (!key.isRepeated()) {
      normalise(message.getFieldBuilder(key));
      return;
    }
    for (int i = 0; i < message.getRepeatedFieldCount(key); i++) {
      normalise(message.getRepeatedFieldBuilder(key, i));
    }
  }

  private void elementsAsRawData(TensorProto.Builder tensor) throws IOException {
    ElementType type = ElementType.ofCode(tensor.getDataType());
    if (type == ElementType.STRING) {
      return;
    } else if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      tensor.setRawData(external(tensor.getExternalDataList()));
    } else if (tensor.getRawData().isEmpty()) {
      tensor.setRawData(ByteString.copyFrom(TypedData.bytes(type, tensor.build())));
    }
    tensor.clearFloatData().clearInt32Data().clearInt64Data().clearDoubleData().clearUint64Data();
    tensor.clearExternalData().clearDataLocation();
  }

  private ByteString external(List<StringStringEntryProto> entries) throws IOException {
    Map<String, String> data =
        entries.stream()
            .collect(
                Collectors.toMap(StringStringEntryProto::getKey, StringStringEntryProto::getValue));
    byte[] file = Files.readAllBytes(folder.resolve(data.get("location")));
    int begin = Integer.parseInt(data.getOrDefault("offset", "0"));
    int end = begin + Integer.parseInt(data.get("length"));
    return ByteString.copyFrom(Arrays.copyOfRange(file, begin, end));
  }
}
