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
    arrays(NamedArray.of(block));
    json.name("shards").beginObject();
    for (Map.Entry<Integer, ExpertSums> shard : block.slices().shards().entrySet()) {
      slice(shard.getKey().toString(), shard.getValue());
    }
    json.endObject();
    json.name("sources").beginObject();
    for (Map.Entry<String, ExpertSums> source : block.slices().sources().entrySet()) {
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

  private void slice(String name, ExpertSums sums) throws IOException {
    json.name(name).beginObject();
    arrays(NamedArray.of(sums));
    json.endObject();
  }

  private void arrays(List<NamedArray> arrays) throws IOException {
    for (NamedArray array : arrays) {
      json.name(array.name());
      elements(array, 0, 0, Math.toIntExact(array.elements()));
    }
  }

  /** A row of nulls, not a null for a row, where nothing is defined: the shape stays. */
  private void elements(NamedArray array, int axis, int from, int length) throws IOException {
    if (axis == array.shape().size()) {
      element(array, from);
      return;
    }
    int rows = array.shape().get(axis);
    json.beginArray();
    for (int row = 0; row < rows; row++) {
      elements(array, axis + 1, from + row * (length / rows), length / rows);
    }
    json.endArray();
  }

  private void element(NamedArray array, int index) throws IOException {
    if (array instanceof NamedArray.Counts counts) {
      json.value(counts.values().get(index));
    } else if (array instanceof NamedArray.Numbers numbers) {
      number(numbers.get(index));
    }
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
