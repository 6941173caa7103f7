package io.moneonnx.profile;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

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

  /** What is not defined counts as 0. */
  private void add(BlockStatistics block) {
    add(block.name());
    block.all().sums().values().values().forEach(this::add);
  }

  private void add(Values values) {
    for (int i = 0; i < values.size(); i++) {
      add(values.type() == Values.Type.COUNT ? values.count(i) : bits(values.get(i)));
    }
  }

  private static long bits(double value) {
    return Double.isNaN(value) ? 0 : Double.doubleToLongBits(value);
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
