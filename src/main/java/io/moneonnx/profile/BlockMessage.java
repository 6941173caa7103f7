package io.moneonnx.profile;

import io.moneonnx.proto.mone.ProfileBlock;
import java.util.List;

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
            .setY2(block.y2());
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
    return message.build();
  }

  /** Throws {@link IllegalArgumentException} if the arrays do not fit the numbers of experts. */
  static BlockStatistics read(ProfileBlock message) {
    return new BlockStatistics(
        new BlockHeader(
            message.getName(),
            message.getForm(),
            message.getExperts(),
            message.getTopK(),
            message.getHidden()),
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
        message.getY2());
  }

  private static Longs longs(List<Long> values) {
    return Longs.of(values.stream().mapToLong(Long::longValue).toArray());
  }

  private static Doubles doubles(List<Double> values) {
    return Doubles.of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
