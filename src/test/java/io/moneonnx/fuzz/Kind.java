package io.moneonnx.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.moneonnx.data.Fixtures;
import io.moneonnx.proto.onnx.ModelProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** What an input is taken for, and the commands that read it. */
enum Kind {
  /** The bytes of a model. */
  MODEL {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      return List.of(List.of("inspect", at.put("fuzzed.onnx", input), "--why"));
    }

    @Override
    List<byte[]> seeds(Laboratory at) {
      return at.models.stream().map(ModelProto::toByteArray).toList();
    }
  },

  /** A number of a seed model, then edits of its graph. */
  GRAPH {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      ByteBuffer choices = ByteBuffer.wrap(input);
      ModelProto model = at.models.get(below(at.models.size(), choices));
      int edits = 1 + below(4, choices);
      model = GraphMutation.of(model, edits, bound -> below(bound, choices));
      return List.of(
          List.of("inspect", at.put("fuzzed.onnx", model.toByteArray()), "--why"),
          List.of("inspect", at.out("fuzzed.onnx"), "--json"));
    }

    private static int below(int bound, ByteBuffer choices) {
      int chosen = choices.hasRemaining() ? choices.get() & 0xff : 0;
      if (bound > 256 && choices.hasRemaining()) {
        chosen = (chosen << 8) | (choices.get() & 0xff);
      }
      return chosen % bound;
    }

    @Override
    List<byte[]> seeds(Laboratory at) {
      List<byte[]> seeds = new ArrayList<>();
      for (byte i = 0; i < at.models.size(); i++) {
        seeds.add(new byte[] {i, 1, i, i, i, i, i});
      }
      return seeds;
    }
  },

  /** A profile whose checksum is right. */
  PROFILE {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      Path profile = at.put("fuzzed.safetensors", summed(input.clone()));
      return List.of(
          List.of("show", profile),
          List.of("plan", profile, "--ratio", "0.5", "-o", at.out("plan.json"), "--force"),
          List.of("export", profile, "-o", at.out("export.json"), "--force"),
          List.of("merge", profile, at.profile, "-o", at.out("merged"), "--force"));
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      return List.of(Files.readAllBytes(at.profile));
    }
  },

  /** A plan of a model. */
  PLAN {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      return List.of(
          List.of(
              "rewrite",
              at.model,
              "--profile",
              at.profile,
              "--plan",
              at.put("fuzzed.json", input),
              "--no-verify",
              "--force",
              "-o",
              at.out("out.onnx")));
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      return List.of(Files.readAllBytes(at.plan));
    }
  },

  /** Arrays; the first byte chooses between NPY and NPZ. */
  ARRAYS {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      return calibrate(input, List.of("npy", "npz"), at);
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      byte[] header =
          "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 4), }\n".getBytes(UTF_8);
      ByteBuffer array =
          ByteBuffer.allocate(10 + header.length + 64)
              .order(ByteOrder.LITTLE_ENDIAN)
              .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
              .putShort((short) header.length)
              .put(header);
      Path file = at.out("seed.npz");
      Fixtures.npz(file, Map.of("input_ids", array.array()));
      return List.of(after(0, array.array()), after(1, Files.readAllBytes(file)));
    }
  },

  /** Text and records; the first byte chooses the kind of file. */
  RECORDS {
    private static final List<String> ENDS =
        List.of("txt", "jsonl", "json", "csv", "tsv", "parquet");

    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      return calibrate(input, ENDS, at);
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      seeds.add(after(0, Files.readAllBytes(at.text)));
      seeds.add(
          after(1, "{\"text\": \"a b c d e f g h\"}\n{\"text\": \"h g f\"}\n".getBytes(UTF_8)));
      seeds.add(after(2, "[{\"text\": \"a b c d\"}, {\"text\": \"e f g h\"}]".getBytes(UTF_8)));
      seeds.add(after(3, "text,n\n\"a b c d\",1\n\"e f g h\",2\n".getBytes(UTF_8)));
      seeds.add(after(4, "text\tn\na b c d\t1\ne f g h\t2\n".getBytes(UTF_8)));
      try (Stream<Path> files = Files.list(Path.of("test-data", "parquet"))) {
        for (Path file : files.filter(path -> path.toString().endsWith("parquet")).toList()) {
          seeds.add(after(5, Files.readAllBytes(file)));
        }
      }
      return seeds;
    }
  },

  /** What lies beside a model; the first byte chooses the file. */
  BESIDE {
    private static final List<String> FILES =
        List.of(
            "tokenizer.json",
            "config.json",
            "generation_config.json",
            "tokenizer_config.json",
            "chat_template.jinja",
            "genai_config.json",
            "special_tokens_map.json");

    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      Path folder = Files.createDirectories(at.out("beside"));
      for (String name : FILES) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Path model = folder.resolve("model.onnx");
      if (!Files.exists(model)) {
        Files.copy(at.model, model);
      }
      Files.copy(at.out("tokenizer.json"), folder.resolve("tokenizer.json"));
      Path chats = at.put("chats.jsonl", CHATS.getBytes(UTF_8));
      int chosen = input.length == 0 ? 0 : (input[0] & 0xff) % FILES.size();
      at.put("beside/" + FILES.get(chosen), rest(input));
      return List.of(calibrate(folder, chosen == 0 ? at.text : chats, at));
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      seeds.add(after(0, Files.readAllBytes(at.out("tokenizer.json"))));
      seeds.add(after(1, "{\"max_position_embeddings\": 64, \"bos_token_id\": 0}".getBytes(UTF_8)));
      seeds.add(after(2, "{\"bos_token_id\": 0, \"eos_token_id\": [0, 1]}".getBytes(UTF_8)));
      seeds.add(after(3, TOKENIZER_CONFIG.getBytes(UTF_8)));
      try (Stream<Path> files = Files.list(Path.of("test-data", "templates"))) {
        for (Path file : files.filter(path -> path.toString().endsWith("jinja")).toList()) {
          seeds.add(after(4, Files.readAllBytes(file)));
        }
      }
      seeds.add(
          after(5, "{\"model\": {\"decoder\": {\"filename\": \"model.onnx\"}}}".getBytes(UTF_8)));
      seeds.add(after(6, "{\"bos_token\": \"<s>\"}".getBytes(UTF_8)));
      return seeds;
    }
  },

  /** What golden record wrote. */
  GOLDEN {
    @Override
    List<List<Object>> commands(byte[] input, Laboratory at) throws IOException {
      Path golden = at.put("fuzzed.golden", input);
      return List.of(List.of("golden", "check", at.model, golden, "--device", "cpu"));
    }

    @Override
    List<byte[]> seeds(Laboratory at) throws IOException {
      return List.of(Files.readAllBytes(at.golden));
    }
  };

  private static final String CHATS =
      """
      {"messages": [{"role": "user", "content": "a b c"}, {"role": "assistant", "content": "d e"}]}
      """;

  private static final String TOKENIZER_CONFIG =
      """
      {"bos_token": "<s>", "chat_template":
       "{% for m in messages %}{{ bos_token }} {{ m['content'] | trim }}{% endfor %}"}
      """;

  /** Puts an input where these commands read it. */
  abstract List<List<Object>> commands(byte[] input, Laboratory at) throws IOException;

  /** Inputs to begin with. */
  abstract List<byte[]> seeds(Laboratory at) throws IOException;

  private static List<List<Object>> calibrate(byte[] input, List<String> ends, Laboratory at)
      throws IOException {
    int chosen = input.length == 0 ? 0 : (input[0] & 0xff) % ends.size();
    Path data = at.put("fuzzed." + ends.get(chosen), rest(input));
    return List.of(calibrate(at.model, data, at));
  }

  private static List<Object> calibrate(Path model, Path data, Laboratory at) {
    return List.of(
        "calibrate",
        model,
        "--data",
        data,
        "--limit",
        2,
        "--seq-len",
        8,
        "--device",
        "cpu",
        "--threads",
        1,
        "--force",
        "-o",
        at.out("out.safetensors"));
  }

  /** Without the first byte. */
  static byte[] rest(byte[] input) {
    return input.length == 0 ? input : Arrays.copyOfRange(input, 1, input.length);
  }

  static byte[] after(int first, byte[] rest) {
    return ByteBuffer.allocate(1 + rest.length).put((byte) first).put(rest).array();
  }

  /** The same profile with a checksum that is right, where it has the place for one. */
  private static byte[] summed(byte[] profile) {
    String blank = "00000000";
    int at = Long.BYTES + "{\"__metadata__\":{\"checksum\":\"".length();
    if (profile.length >= at + blank.length()) {
      System.arraycopy(blank.getBytes(UTF_8), 0, profile, at, blank.length());
      CRC32C sum = new CRC32C();
      sum.update(profile);
      byte[] text = "%08x".formatted(sum.getValue()).getBytes(UTF_8);
      System.arraycopy(text, 0, profile, at, text.length);
    }
    return profile;
  }
}
