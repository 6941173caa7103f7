package io.moneonnx.profile;

import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.proto.mone.ProfileBlock;
import io.moneonnx.proto.mone.ProfileSlice;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntToLongFunction;

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
    message.setMean(UnsafeByteOperations.unsafeWrap(block.mean().bytes()));
    message.setM2(UnsafeByteOperations.unsafeWrap(block.m2().bytes()));
    message.setGmean(UnsafeByteOperations.unsafeWrap(block.gmean().bytes()));
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
        longs(message.getNCount(), message::getN),
        doubles(message.getG1Count(), message::getG1),
        doubles(message.getG2Count(), message::getG2),
        doubles(message.getA1Count(), message::getA1),
        doubles(message.getA2Count(), message::getA2),
        doubles(message.getB1Count(), message::getB1),
        doubles(message.getB2Count(), message::getB2),
        Doubles.of(message.getMean().asReadOnlyByteBuffer()),
        Doubles.of(message.getM2().asReadOnlyByteBuffer()),
        Doubles.of(message.getGmean().asReadOnlyByteBuffer()),
        doubles(message.getR2Count(), message::getR2),
        doubles(message.getPeakCount(), message::getPeak),
        message.getT(),
        longs(message.getCCount(), message::getC),
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
        longs(slice.getNCount(), slice::getN),
        doubles(slice.getG1Count(), slice::getG1),
        doubles(slice.getG2Count(), slice::getG2),
        doubles(slice.getA1Count(), slice::getA1),
        doubles(slice.getA2Count(), slice::getA2),
        doubles(slice.getB1Count(), slice::getB1),
        doubles(slice.getB2Count(), slice::getB2),
        doubles(slice.getM2Count(), slice::getM2),
        doubles(slice.getR2Count(), slice::getR2),
        doubles(slice.getPeakCount(), slice::getPeak),
        slice.getY2());
  }

  /** Element by element: protobuf's lists box what they hold. */
  private static Longs longs(int size, IntToLongFunction values) {
    long[] all = new long[size];
    Arrays.setAll(all, values);
    return Longs.of(all);
  }

  private static Doubles doubles(int size, IntToDoubleFunction values) {
    double[] all = new double[size];
    Arrays.setAll(all, values);
    return Doubles.of(all);
  }
}
