package io.moneonnx.profile;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** A hash over the model, and each block's name, counts and sums of one number an expert. */
final class ProfileId {
  private static final int HEX_DIGITS = 32;

  private final MessageDigest digest;

  private ProfileId() {
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static String of(Profile profile) {
    ProfileId id = new ProfileId();
    id.add(profile.model());
    profile.blocks().forEach(id::add);
    return "sha256:" + HexFormat.of().formatHex(id.digest.digest()).substring(0, HEX_DIGITS);
  }

  private void add(BlockStatistics block) {
    ExpertSums sums = block.sums();
    add(block.name());
    add(sums.t());
    sums.n().stream().forEach(this::add);
    for (Doubles values :
        List.of(
            sums.g1(),
            sums.g2(),
            sums.a1(),
            sums.a2(),
            sums.b1(),
            sums.b2(),
            sums.m2(),
            sums.r2(),
            sums.peak())) {
      values.stream().mapToLong(Double::doubleToLongBits).forEach(this::add);
    }
    add(Double.doubleToLongBits(sums.y2()));
  }

  private void add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    add(bytes.length);
    digest.update(bytes);
  }

  private void add(long number) {
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
  }
}
