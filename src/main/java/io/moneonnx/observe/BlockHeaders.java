package io.moneonnx.observe;

import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.BlockHeader;

/** What profiles say of a block. */
public final class BlockHeaders {
  private BlockHeaders() {}

  public static BlockHeader of(MoeBlock block) {
    return new BlockHeader(
        block.name(),
        block.form(),
        block.experts(),
        block.topK(),
        block.hidden(),
        block.inner(),
        block.expertBytes(),
        block.weightless());
  }
}
