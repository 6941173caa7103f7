package io.moneonnx.data;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Unpacks the pages of a Parquet file, in Java alone.
 *
 * @param most the most bytes that a page may have, whatever it says
 */
record ParquetPages(Path path, long most) implements CompressionCodecFactory {
  /**
   * Checks that pages packed in this way are unpacked here.
   *
   * @throws BadInputException if they are not; it names the codec
   */
  static void requireKnown(Path path, String column, CompressionCodecName codec) {
    switch (codec) {
      case UNCOMPRESSED, SNAPPY, GZIP, ZSTD, LZ4_RAW -> {}
      default ->
          throw new BadInputException(
              "%s: column '%s' is packed by %s, expected SNAPPY, ZSTD, GZIP, LZ4_RAW or none"
                  .formatted(path, column, codec));
    }
  }

  @Override
  public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
    return switch (codec) {
      case GZIP -> new Unpacking(ParquetPages::gunzip);
      case SNAPPY -> new Unpacking((bytes, size) -> unpack(new SnappyDecompressor(), bytes, size));
      case ZSTD -> new Unpacking((bytes, size) -> unpack(new ZstdDecompressor(), bytes, size));
      case LZ4_RAW -> new Unpacking((bytes, size) -> unpack(new Lz4Decompressor(), bytes, size));
      default -> new Unpacking((bytes, size) -> bytes);
    };
  }

  @Override
  public BytesInputCompressor getCompressor(CompressionCodecName codec) {
    throw new UnsupportedOperationException("files are only read");
  }

  @Override
  public void release() {}

  private static byte[] unpack(Decompressor codec, byte[] bytes, int size) {
    byte[] unpacked = new byte[size];
    int length = codec.decompress(bytes, 0, bytes.length, unpacked, 0, size);
    return length == size ? unpacked : new byte[length];
  }

  private static byte[] gunzip(byte[] bytes, int size) throws IOException {
    try (GZIPInputStream unpacked =
        new GZIPInputStream(BytesInput.from(bytes).toInputStream(), Math.max(512, bytes.length))) {
      return unpacked.readNBytes(size + 1);
    }
  }

  /** Makes the bytes of a page, which says how many it has, of its packed ones. */
  private interface Codec {
    byte[] unpacked(byte[] packed, int size) throws IOException;
  }

  private final class Unpacking implements BytesInputDecompressor {
    private final Codec codec;

    Unpacking(Codec codec) {
      this.codec = codec;
    }

    @Override
    public BytesInput decompress(BytesInput packed, int size) throws IOException {
      if (size < 0 || size > most) {
        throw new BadInputException(
            "%s: a page says that it has %,d bytes, expected at most %,d, an eighth of the heap"
                .formatted(path, size, most));
      }
      byte[] bytes = codec.unpacked(packed.toInputStream().readAllBytes(), size);
      if (bytes.length != size) {
        throw new IOException("a page has %,d bytes, and says %,d".formatted(bytes.length, size));
      }
      return BytesInput.from(bytes);
    }

    @Override
    public void decompress(ByteBuffer input, int packed, ByteBuffer output, int size) {
      throw new UnsupportedOperationException("pages come as arrays");
    }

    @Override
    public void release() {}
  }
}
