package io.moneonnx.profile;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.json.JsonText;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/**
 * A profile as JSON, with every statistic but moments, which are too large for it, under its name
 * and null where it is not defined:
 *
 * <pre>{@code
 * {"model": "sha256:...", "bytes": 1000,
 *  "runs": [{"toolVersion", "runtimeVersion", "device", "tokens", "sequenceLength",
 *            "sources": [{"name", "tag", "bytes", "sha256", "tokens"}], "notes": {}}],
 *  "blocks": [{"name", "form", "experts", "topK", "hidden", "inner", "expertBytes",
 *              "T", "n": [E], "G1": [E], ..., "mean": [[H], ...], ..., "Y2",
 *              "shards": {"0": {"T", "n": [E], ...}}, "sources": {"code": {"T", "n": [E], ...}}}]}
 * }</pre>
 */
public final class ProfileJson {
  private final JsonWriter json;

  private ProfileJson(Writer out) {
    this.json = new JsonWriter(out);
  }

  /** Writes as it goes: a profile of gigabytes needs no more memory than it takes itself. */
  public static void write(Profile profile, Writer out) throws IOException {
    new ProfileJson(out).profile(profile);
  }

  private void profile(Profile profile) throws IOException {
    json.beginObject();
    json.name("model").value(profile.model());
    json.name("bytes").value(profile.modelBytes());
    json.name("runs").jsonValue(JsonText.of(profile.runs()));
    json.name("blocks").beginArray();
    for (BlockStatistics block : profile.blocks()) {
      block(block);
    }
    json.endArray();
    json.endObject().flush();
  }

  private void block(BlockStatistics block) throws IOException {
    json.beginObject();
    BlockHeader header = block.header();
    json.name("name").value(header.name());
    json.name("form").value(header.form());
    json.name("experts").value(header.experts());
    json.name("topK").value(header.topK());
    json.name("hidden").value(header.hidden());
    json.name("inner").value(header.inner());
    json.name("expertBytes").value(header.expertBytes());
    if (!header.weightless().isEmpty()) {
      json.name("weightless").jsonValue(header.weightless().toString());
    }
    arrays(block.all());
    json.name("shards").beginObject();
    for (Map.Entry<Integer, Statistics> shard : block.slices().shards().entrySet()) {
      slice(shard.getKey().toString(), shard.getValue());
    }
    json.endObject();
    json.name("sources").beginObject();
    for (Map.Entry<String, Statistics> source : block.slices().sources().entrySet()) {
      slice(source.getKey(), source.getValue());
    }
    json.endObject();
    json.endObject();
  }

  private void slice(String name, Statistics sums) throws IOException {
    json.name(name).beginObject();
    arrays(sums);
    json.endObject();
  }

  private void arrays(Statistics statistics) throws IOException {
    for (Map.Entry<Statistic, Values> each : statistics.values().entrySet()) {
      if (each.getKey() == Statistic.M) {
        continue;
      }
      json.name(each.getKey().symbol());
      List<Integer> sizes = statistics.detail().shape(each.getKey()).sizes(statistics.header());
      elements(each.getValue(), sizes, 0, each.getValue().size());
    }
  }

  /** A row of nulls, not a null for a row, where nothing is defined: the shape stays. */
  private void elements(Values values, List<Integer> sizes, int from, int length)
      throws IOException {
    if (sizes.isEmpty()) {
      element(values, from);
      return;
    }
    int part = length / sizes.get(0);
    json.beginArray();
    for (int at = from; at < from + length; at += part) {
      elements(values, sizes.subList(1, sizes.size()), at, part);
    }
    json.endArray();
  }

  /** JSON has no NaN. */
  private void element(Values values, int index) throws IOException {
    if (values.type() == Values.Type.COUNT) {
      json.value(values.count(index));
    } else if (Double.isNaN(values.get(index))) {
      json.nullValue();
    } else {
      json.value(values.get(index));
    }
  }
}
