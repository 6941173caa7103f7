package io.moneonnx.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.EnumLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UnknownLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/** Rows of Parquet as JSON records: what Python's datasets gives as dicts, lists and None. */
final class ParquetValues {
  private ParquetValues() {}

  /**
   * What is to be read of a file for the documents in one column.
   *
   * @param all the file's schema
   * @param tools the column that a chat's tools are in, read where there is one
   * @throws BadInputException if the column holds neither texts nor chats
   */
  static MessageType readable(Path path, MessageType all, Type column, String tools) {
    boolean isChat = isList(column) && isStruct(element(column));
    if (!isText(column) && !isChat) {
      throw new BadInputException(
          "%s: column '%s' is %s, expected texts or chats%s"
              .formatted(
                  path,
                  column.getName(),
                  text(column),
                  isList(column) ? "; token ids are read from .npz and .npy" : ""));
    }
    List<Type> read = new ArrayList<>(List.of(column));
    if (isChat && all.containsField(tools) && !column.getName().equals(tools)) {
      read.add(all.getType(tools));
    }
    for (Type each : read) {
      unread(each)
          .ifPresent(
              type -> {
                throw new BadInputException(
                    "%s: column '%s' has in it %s, expected texts, numbers, lists and structs of them"
                        .formatted(path, each.getName(), text(type)));
              });
    }
    return new MessageType(all.getName(), read);
  }

  private static boolean isText(Type type) {
    LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
    return type.isPrimitive()
        && !type.isRepetition(Type.Repetition.REPEATED)
        && (meaning instanceof StringLogicalTypeAnnotation
            || meaning instanceof EnumLogicalTypeAnnotation
            || meaning instanceof JsonLogicalTypeAnnotation);
  }

  private static boolean isList(Type type) {
    return type.isRepetition(Type.Repetition.REPEATED) || isAnnotatedList(type);
  }

  /** A group around a repeated field. */
  private static boolean isAnnotatedList(Type type) {
    return !type.isPrimitive()
        && type.getLogicalTypeAnnotation() instanceof ListLogicalTypeAnnotation
        && type.asGroupType().getFieldCount() == 1
        && type.asGroupType().getType(0).isRepetition(Type.Repetition.REPEATED);
  }

  private static boolean isStruct(Type type) {
    return !type.isPrimitive() && type.getLogicalTypeAnnotation() == null;
  }

  /** What a list is of. */
  private static Type element(Type list) {
    if (list.isRepetition(Type.Repetition.REPEATED)) {
      return list;
    }
    Type repeated = list.asGroupType().getType(0);
    return isWrapped(list.getName(), repeated) ? repeated.asGroupType().getType(0) : repeated;
  }

  /**
   * True where elements are the only field of the repeated group, as the format has it; older
   * writers repeat the elements themselves.
   */
  private static boolean isWrapped(String list, Type repeated) {
    return !repeated.isPrimitive()
        && repeated.asGroupType().getFieldCount() == 1
        && !repeated.getName().equals("array")
        && !repeated.getName().equals(list + "_tuple");
  }

  /** What in a type does not become JSON, if anything. */
  private static Optional<Type> unread(Type type) {
    if (isAnnotatedList(type)) {
      return unread(type.asGroupType().getType(0));
    } else if (!type.isPrimitive()) {
      return isStruct(type)
          ? type.asGroupType().getFields().stream()
              .map(ParquetValues::unread)
              .flatMap(Optional::stream)
              .findFirst()
          : Optional.of(type);
    }
    LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
    boolean isRead =
        meaning instanceof UnknownLogicalTypeAnnotation
            || switch (type.asPrimitiveType().getPrimitiveTypeName()) {
              case BINARY ->
                  meaning instanceof StringLogicalTypeAnnotation
                      || meaning instanceof EnumLogicalTypeAnnotation
                      || meaning instanceof JsonLogicalTypeAnnotation;
              case INT32, INT64 ->
                  meaning == null
                      || (meaning instanceof IntLogicalTypeAnnotation integer
                          && integer.isSigned());
              case BOOLEAN, FLOAT, DOUBLE -> meaning == null;
              default -> false;
            };
    return isRead ? Optional.empty() : Optional.of(type);
  }

  /** A type as messages name it. */
  private static String text(Type type) {
    if (type.isRepetition(Type.Repetition.REPEATED)) {
      return "a list of " + plain(type);
    } else if (isAnnotatedList(type)) {
      Type repeated = type.asGroupType().getType(0);
      return "a list of "
          + (isWrapped(type.getName(), repeated)
              ? text(repeated.asGroupType().getType(0))
              : plain(repeated));
    }
    return plain(type);
  }

  private static String plain(Type type) {
    LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
    String physical =
        type.isPrimitive() ? "" + type.asPrimitiveType().getPrimitiveTypeName() : "struct";
    return "%s%s"
        .formatted(physical.toLowerCase(Locale.ROOT), meaning == null ? "" : " of " + meaning);
  }

  /**
   * A row.
   *
   * @param place of the row, for messages
   */
  static JsonObject record(Group row, String place) {
    JsonObject record = new JsonObject();
    GroupType type = row.getType();
    for (int field = 0; field < type.getFieldCount(); field++) {
      record.add(type.getFieldName(field), value(row, field, place));
    }
    return record;
  }

  private static JsonElement value(Group row, int field, String place) {
    Type type = row.getType().getType(field);
    int count = row.getFieldRepetitionCount(field);
    if (type.isRepetition(Type.Repetition.REPEATED)) {
      return list(row, field, false, place);
    } else if (count == 0) {
      return JsonNull.INSTANCE;
    } else if (isAnnotatedList(type)) {
      boolean isWrapped = isWrapped(type.getName(), type.asGroupType().getType(0));
      return list(row.getGroup(field, 0), 0, isWrapped, place);
    }
    return single(row, field, 0, place);
  }

  private static JsonArray list(Group row, int field, boolean isWrapped, String place) {
    JsonArray list = new JsonArray();
    for (int i = 0; i < row.getFieldRepetitionCount(field); i++) {
      list.add(isWrapped ? value(row.getGroup(field, i), 0, place) : single(row, field, i, place));
    }
    return list;
  }

  private static JsonElement single(Group row, int field, int index, String place) {
    Type type = row.getType().getType(field);
    if (!type.isPrimitive()) {
      return record(row.getGroup(field, index), place);
    }
    return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case BINARY -> new JsonPrimitive(string(row.getBinary(field, index), place));
      case BOOLEAN -> new JsonPrimitive(row.getBoolean(field, index));
      case INT32 -> new JsonPrimitive(row.getInteger(field, index));
      case INT64 -> new JsonPrimitive(row.getLong(field, index));
      case FLOAT -> new JsonPrimitive((double) row.getFloat(field, index));
      case DOUBLE -> new JsonPrimitive(row.getDouble(field, index));
      default -> throw new IllegalStateException("not read: " + type);
    };
  }

  private static String string(Binary bytes, String place) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.toByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw new BadInputException(place + " is no text in UTF-8", e);
    }
  }
}
