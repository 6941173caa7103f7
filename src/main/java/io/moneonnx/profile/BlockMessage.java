package io.moneonnx.profile;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.proto.mone.ProfileBlock;
import io.moneonnx.proto.mone.ProfileSlice;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One block's statistics as a message of {@code proto/mone.proto}, there and back: each statistic
 * is the field of its symbol.
 */
final class BlockMessage {
  private BlockMessage() {}

  static ProfileBlock of(BlockStatistics block) {
    BlockHeader header = block.header();
    ProfileBlock.Builder message =
        ProfileBlock.newBuilder()
            .setName(header.name())
            .setForm(header.form())
            .setExperts(header.experts())
            .setTopK(header.topK())
            .setHidden(header.hidden())
            .setExpertBytes(header.expertBytes());
    put(message, block.all());
    block
        .slices()
        .shards()
        .forEach((shard, sums) -> message.addSlices(slice(sums).setShard(shard)));
    block
        .slices()
        .sources()
        .forEach((source, sums) -> message.addSlices(slice(sums).setSource(source)));
    return message.build();
  }

  private static ProfileSlice.Builder slice(Statistics sums) {
    ProfileSlice.Builder message = ProfileSlice.newBuilder();
    put(message, sums);
    return message;
  }

  private static void put(Message.Builder message, Statistics statistics) {
    statistics
        .values()
        .forEach(
            (statistic, values) -> {
              FieldDescriptor field = field(message, statistic);
              if (field.getJavaType() == FieldDescriptor.JavaType.BYTE_STRING) {
                message.setField(field, UnsafeByteOperations.unsafeWrap(values.bytes()));
              } else if (field.isRepeated()) {
                for (int i = 0; i < values.size(); i++) {
                  message.addRepeatedField(field, element(values, i));
                }
              } else {
                message.setField(field, element(values, 0));
              }
            });
  }

  private static FieldDescriptor field(MessageOrBuilder message, Statistic statistic) {
    return message.getDescriptorForType().findFieldByName(statistic.symbol());
  }

  private static Object element(Values values, int index) {
    return values.type() == Values.Type.COUNT
        ? (Object) values.count(index)
        : (Object) values.get(index);
  }

  /** Throws {@link IllegalArgumentException} if the arrays do not fit the numbers of experts. */
  static BlockStatistics read(ProfileBlock message) {
    BlockHeader header =
        new BlockHeader(
            message.getName(),
            message.getForm(),
            message.getExperts(),
            message.getTopK(),
            message.getHidden(),
            message.getExpertBytes());
    SortedMap<Integer, Statistics> shards = new TreeMap<>();
    SortedMap<String, Statistics> sources = new TreeMap<>();
    for (ProfileSlice slice : message.getSlicesList()) {
      Statistics sums = statistics(header, Detail.SUMS, slice);
      if (slice.hasSource()) {
        sources.put(slice.getSource(), sums);
      } else {
        shards.put(slice.getShard(), sums);
      }
    }
    return new BlockStatistics(
        statistics(header, Detail.FULL, message), new Slices(shards, sources));
  }

  private static Statistics statistics(BlockHeader header, Detail detail, Message message) {
    return Statistics.of(header, detail, each -> values(message, each));
  }

  private static Values values(Message message, Statistic statistic) {
    FieldDescriptor field = field(message, statistic);
    if (message.getField(field) instanceof ByteString bytes) {
      return Values.of(statistic.type(), bytes.asReadOnlyByteBuffer());
    }
    int size = field.isRepeated() ? message.getRepeatedFieldCount(field) : 1;
    double[] numbers = new double[size];
    long[] counts = new long[size];
    for (int i = 0; i < size; i++) {
      Object element =
          field.isRepeated() ? message.getRepeatedField(field, i) : message.getField(field);
      if (element instanceof Long count) {
        counts[i] = count;
      } else if (element instanceof Double number) {
        numbers[i] = number;
      } else {
        throw new BadInputException("expected a number, found " + element);
      }
    }
    return statistic.type() == Values.Type.COUNT ? Values.counts(counts) : Values.of(numbers);
  }
}
