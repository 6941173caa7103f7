package io.moneonnx;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Named arrays of a safetensors file: a length, a JSON header with places, then the bytes. */
public record Safetensors(JsonObject header, ByteBuffer data) {
  public static Safetensors read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[Math.toIntExact(bytes.getLong())];
    bytes.get(header);
    return new Safetensors(
        JsonParser.parseString(new String(header, StandardCharsets.UTF_8)).getAsJsonObject(),
        bytes.slice());
  }

  public double[] doubles(String name) {
    ByteBuffer bytes = bytes(name);
    double[] values = new double[bytes.remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }

  public long[] longs(String name) {
    ByteBuffer bytes = bytes(name);
    long[] values = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(values);
    return values;
  }

  /** A float32 or int64 array with its shape. */
  public Tensor tensor(String name) {
    JsonObject entry = header.getAsJsonObject(name);
    ElementType type =
        switch (entry.get("dtype").getAsString()) {
          case "F32" -> ElementType.FLOAT;
          case "I64" -> ElementType.INT64;
          default -> throw new IllegalArgumentException(name + ": " + entry);
        };
    List<Long> dims =
        entry.getAsJsonArray("shape").asList().stream().map(JsonElement::getAsLong).toList();
    return new Tensor.Inline(type, dims, bytes(name));
  }

  private ByteBuffer bytes(String name) {
    var place = header.getAsJsonObject(name).getAsJsonArray("data_offsets");
    int from = place.get(0).getAsInt();
    return data.slice(from, place.get(1).getAsInt() - from).order(ByteOrder.LITTLE_ENDIAN);
  }
}
