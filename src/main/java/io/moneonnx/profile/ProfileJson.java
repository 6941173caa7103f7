package io.moneonnx.profile;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.Profile.Source;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/**
 * A profile as JSON, with every statistic under its name and null where it is not defined:
 *
 * <pre>{@code
 * {"model": "sha256:...", "bytes": 1000,
 *  "runs": [{"toolVersion", "runtimeVersion", "device", "tokens", "sequenceLength",
 *            "sources": [{"name", "tag", "bytes", "sha256", "tokens"}], "notes": {}}],
 *  "blocks": [{"name", "form", "experts", "topK", "hidden", "expertBytes",
 *              "T", "n": [E], "G1": [E], ..., "mean": [[H], ...], ..., "Y2",
 *              "shards": {"0": {"T", "n": [E], ...}}, "sources": {"code": {"T", "n": [E], ...}}}]}
 * }</pre>
 */
public final class ProfileJson {
  private final JsonWriter json;

  ProfileJson(Writer out) {
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
    json.name("runs");
    runs(profile.runs());
    json.name("blocks").beginArray();
    for (BlockStatistics block : profile.blocks()) {
      block(block);
    }
    json.endArray();
    json.endObject().flush();
  }

  void runs(List<Run> runs) throws IOException {
    json.beginArray();
    for (Run run : runs) {
      json.beginObject();
      json.name("toolVersion").value(run.toolVersion());
      json.name("runtimeVersion").value(run.runtimeVersion());
      json.name("device").value(run.device());
      json.name("tokens").value(run.tokens());
      json.name("sequenceLength").value(run.sequenceLength());
      json.name("sources").beginArray();
      for (Source source : run.sources()) {
        source(source);
      }
      json.endArray();
      json.name("notes").beginObject();
      for (Map.Entry<String, String> note : run.notes().entrySet()) {
        json.name(note.getKey()).value(note.getValue());
      }
      json.endObject();
      json.endObject();
    }
    json.endArray();
  }

  private void source(Source source) throws IOException {
    json.beginObject();
    json.name("name").value(source.name());
    json.name("tag").value(source.tag().orElse(null));
    json.name("bytes").value(source.bytes());
    json.name("sha256").value(source.sha256());
    json.name("tokens").value(source.tokens());
    json.endObject();
  }

  private void block(BlockStatistics block) throws IOException {
    json.beginObject();
    header(block.header());
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

  private void header(BlockHeader header) throws IOException {
    json.name("name").value(header.name());
    json.name("form").value(header.form());
    json.name("experts").value(header.experts());
    json.name("topK").value(header.topK());
    json.name("hidden").value(header.hidden());
    json.name("expertBytes").value(header.expertBytes());
  }

  /** What blocks are, without what was measured of them. */
  void headers(List<BlockStatistics> blocks) throws IOException {
    json.beginArray();
    for (BlockStatistics block : blocks) {
      json.beginObject();
      header(block.header());
      json.endObject();
    }
    json.endArray();
  }

  private void slice(String name, Statistics sums) throws IOException {
    json.name(name).beginObject();
    arrays(sums);
    json.endObject();
  }

  private void arrays(Statistics statistics) throws IOException {
    for (Map.Entry<Statistic, Values> each : statistics.values().entrySet()) {
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
