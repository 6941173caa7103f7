package io.moneonnx.profile;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.Writer;
import java.util.function.IntPredicate;

/**
 * A profile as JSON: {@code {"blocks": [{"name", "form", "experts", "topK", "hidden", "T", "Y2",
 * "n": [E], "G1": [E], ..., "mean": [[H], ...]}]}}, every statistic under its name, null where it
 * is not defined.
 */
public final class ProfileJson {
  private final JsonWriter json;

  private ProfileJson(JsonWriter json) {
    this.json = json;
  }

  /** Writes as it goes: a profile of gigabytes needs no more memory than it takes itself. */
  public static void write(Profile profile, Writer out) throws IOException {
    JsonWriter json = new JsonWriter(out);
    json.beginObject().name("blocks").beginArray();
    for (BlockStatistics block : profile.blocks()) {
      new ProfileJson(json).block(block);
    }
    json.endArray().endObject().flush();
  }

  private void block(BlockStatistics block) throws IOException {
    json.beginObject();
    json.name("name").value(block.name());
    json.name("form").value(block.header().form());
    json.name("experts").value(block.experts());
    json.name("topK").value(block.header().topK());
    json.name("hidden").value(block.hidden());
    json.name("T").value(block.t());
    json.name("n");
    counts(block.n(), 0, block.experts());
    vector("G1", block.g1(), expert -> true);
    vector("G2", block.g2(), expert -> true);
    vector("A1", block.a1(), expert -> true);
    vector("A2", block.a2(), expert -> true);
    vector("B1", block.b1(), expert -> true);
    vector("B2", block.b2(), expert -> true);
    matrix("mean", block.mean(), block, block::hasMean);
    matrix("M2", block.m2(), block, block::hasMean);
    matrix("gmean", block.gmean(), block, block::hasGatedMean);
    vector("R2", block.r2(), block::hasGatedMean);
    vector("peak", block.peak(), block::hasMean);
    json.name("C").beginArray();
    for (int expert = 0; expert < block.experts(); expert++) {
      counts(block.c(), expert * block.experts(), block.experts());
    }
    json.endArray();
    json.name("Y2");
    number(block.y2());
    json.endObject();
  }

  private void counts(Longs values, int from, int length) throws IOException {
    json.beginArray();
    for (int i = from; i < from + length; i++) {
      json.value(values.get(i));
    }
    json.endArray();
  }

  private void vector(String name, Doubles values, IntPredicate defined) throws IOException {
    json.name(name).beginArray();
    for (int i = 0; i < values.size(); i++) {
      number(defined.test(i) ? values.get(i) : Double.NaN);
    }
    json.endArray();
  }

  /** A row of nulls, not a null for a row, where nothing is defined: the shape stays. */
  private void matrix(String name, Doubles values, BlockStatistics block, IntPredicate defined)
      throws IOException {
    int width = block.hidden();
    json.name(name).beginArray();
    for (int row = 0; row < block.experts(); row++) {
      json.beginArray();
      for (int i = row * width; i < (row + 1) * width; i++) {
        number(defined.test(row) ? values.get(i) : Double.NaN);
      }
      json.endArray();
    }
    json.endArray();
  }

  /** JSON has no infinities and no NaN. */
  private void number(double value) throws IOException {
    if (Double.isFinite(value)) {
      json.value(value);
    } else {
      json.nullValue();
    }
  }
}
