package io.moneonnx.plan;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Named arrays of a safetensors file: a length, a JSON header with places, then the bytes. */
record Safetensors(JsonObject header, ByteBuffer data) {
  static Safetensors read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[Math.toIntExact(bytes.getLong())];
    bytes.get(header);
    return new Safetensors(
        JsonParser.parseString(new String(header, StandardCharsets.UTF_8)).getAsJsonObject(),
        bytes.slice());
  }

  double[] doubles(String name) {
    ByteBuffer bytes = bytes(name);
    double[] values = new double[bytes.remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }

  long[] longs(String name) {
    ByteBuffer bytes = bytes(name);
    long[] values = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(values);
    return values;
  }

  private ByteBuffer bytes(String name) {
    var place = header.getAsJsonObject(name).getAsJsonArray("data_offsets");
    int from = place.get(0).getAsInt();
    return data.slice(from, place.get(1).getAsInt() - from).order(ByteOrder.LITTLE_ENDIAN);
  }
}
