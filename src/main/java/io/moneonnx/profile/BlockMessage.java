package io.moneonnx.profile;

import io.moneonnx.proto.mone.ProfileBlock;
import io.moneonnx.proto.mone.ProfileSlice;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** One block's statistics as a message of {@code proto/mone.proto}, there and back. */
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
            .setT(block.t())
            .setY2(block.y2())
            .setExpertBytes(header.expertBytes());
    block.n().stream().forEach(message::addN);
    block.g1().stream().forEach(message::addG1);
    block.g2().stream().forEach(message::addG2);
    block.a1().stream().forEach(message::addA1);
    block.a2().stream().forEach(message::addA2);
    block.b1().stream().forEach(message::addB1);
    block.b2().stream().forEach(message::addB2);
    block.mean().stream().forEach(message::addMean);
    block.m2().stream().forEach(message::addM2);
    block.gmean().stream().forEach(message::addGmean);
    block.r2().stream().forEach(message::addR2);
    block.peak().stream().forEach(message::addPeak);
    block.c().stream().forEach(message::addC);
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

  private static ProfileSlice.Builder slice(ExpertSums sums) {
    ProfileSlice.Builder message = ProfileSlice.newBuilder().setT(sums.t()).setY2(sums.y2());
    sums.n().stream().forEach(message::addN);
    sums.g1().stream().forEach(message::addG1);
    sums.g2().stream().forEach(message::addG2);
    sums.a1().stream().forEach(message::addA1);
    sums.a2().stream().forEach(message::addA2);
    sums.b1().stream().forEach(message::addB1);
    sums.b2().stream().forEach(message::addB2);
    sums.m2().stream().forEach(message::addM2);
    sums.r2().stream().forEach(message::addR2);
    sums.peak().stream().forEach(message::addPeak);
    return message;
  }

  /** Throws {@link IllegalArgumentException} if the arrays do not fit the numbers of experts. */
  static BlockStatistics read(ProfileBlock message) {
    return new BlockStatistics(
        new BlockHeader(
            message.getName(),
            message.getForm(),
            message.getExperts(),
            message.getTopK(),
            message.getHidden(),
            message.getExpertBytes()),
        longs(message.getNList()),
        doubles(message.getG1List()),
        doubles(message.getG2List()),
        doubles(message.getA1List()),
        doubles(message.getA2List()),
        doubles(message.getB1List()),
        doubles(message.getB2List()),
        doubles(message.getMeanList()),
        doubles(message.getM2List()),
        doubles(message.getGmeanList()),
        doubles(message.getR2List()),
        doubles(message.getPeakList()),
        message.getT(),
        longs(message.getCList()),
        message.getY2(),
        slices(message));
  }

  private static Slices slices(ProfileBlock message) {
    SortedMap<Integer, ExpertSums> shards = new TreeMap<>();
    SortedMap<String, ExpertSums> sources = new TreeMap<>();
    for (ProfileSlice slice : message.getSlicesList()) {
      if (slice.hasSource()) {
        sources.put(slice.getSource(), sums(slice));
      } else {
        shards.put(slice.getShard(), sums(slice));
      }
    }
    return new Slices(shards, sources);
  }

  private static ExpertSums sums(ProfileSlice slice) {
    return new ExpertSums(
        slice.getT(),
        longs(slice.getNList()),
        doubles(slice.getG1List()),
        doubles(slice.getG2List()),
        doubles(slice.getA1List()),
        doubles(slice.getA2List()),
        doubles(slice.getB1List()),
        doubles(slice.getB2List()),
        doubles(slice.getM2List()),
        doubles(slice.getR2List()),
        doubles(slice.getPeakList()),
        slice.getY2());
  }

  private static Longs longs(List<Long> values) {
    return Longs.of(values.stream().mapToLong(Long::longValue).toArray());
  }

  private static Doubles doubles(List<Double> values) {
    return Doubles.of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
