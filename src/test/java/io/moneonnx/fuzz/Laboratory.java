package io.moneonnx.fuzz;

import io.moneonnx.QuantisedMoe;
import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.cli.Main;
import io.moneonnx.eval.TinyLanguageModel;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.proto.onnx.ModelProto;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder with a language model of a few kilobytes and one good file of each kind that the program
 * reads.
 */
final class Laboratory {
  private static final String TOKENIZER =
      """
      {"version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "single_word": false,
       "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
       "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
       "decoder": null, "model": {"type": "WordLevel", "unk_token": "<s>", "vocab":
       {"<s>": 0, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10}}}
      """;

  private static final String TEXT =
      "a b c d e f g h i j j i h g f e d c b a\n\nb d f h j a c e g\n";

  /** Small models of every spelling, form and packing. */
  final List<ModelProto> models = models();

  final Path folder;
  final Path model;
  final Path profile;
  final Path plan;
  final Path text;
  final Path golden;

  Laboratory(Path folder) {
    this.folder = folder;
    model = folder.resolve("model.onnx");
    profile = folder.resolve("good.safetensors");
    plan = folder.resolve("good.json");
    text = folder.resolve("good.txt");
    golden = folder.resolve("good.golden");
  }

  /** Makes the good files. */
  void fill() {
    try {
      OnnxWriter.write(TinyLanguageModel.of(Spelling.TORCHSCRIPT).model(), model, Placement.INLINE);
      Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
      Files.writeString(text, TEXT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    run("calibrate", model, "--data", text, "--seq-len", 8, "--device", "cpu", "-o", profile);
    run("plan", profile, "--ratio", "0.5", "-o", plan);
    run("golden", "record", model, "--data", text, "--seq-len", 8, "--device", "cpu", "-o", golden);
  }

  private static void run(Object... command) {
    PrintStream out = System.out;
    try {
      System.setOut(new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8));
      String[] line = new String[command.length];
      for (int i = 0; i < line.length; i++) {
        line[i] = String.valueOf(command[i]);
      }
      if (Main.run(line) != 0) {
        throw new IllegalStateException(String.join(" ", line));
      }
    } finally {
      System.setOut(out);
    }
  }

  /** A file with these contents. */
  Path put(String name, byte[] contents) throws IOException {
    return Files.write(folder.resolve(name), contents);
  }

  Path out(String name) {
    return folder.resolve(name);
  }

  private static List<ModelProto> models() {
    List<Model> models = new ArrayList<>();
    for (Spelling spelling : Spelling.values()) {
      models.add(spelling.of(4, 2, 4).model());
    }
    models.add(TinyLanguageModel.of(Spelling.DYNAMO).model());
    models.add(QuantisedMoe.dequantised(Spelling.STACKED.of(4, 2, 16).model()));
    models.add(QuantisedMoe.packed(Spelling.LOOKUP.of(4, 2, 16).model(), 4));
    models.add(SwitchMoe.model());
    return models.stream().map(Laboratory::message).toList();
  }

  private static ModelProto message(Model model) {
    try {
      Path file = Files.createTempFile("seed", ".onnx");
      try {
        OnnxWriter.write(model, file, Placement.INLINE);
        return ModelProto.parseFrom(Files.readAllBytes(file));
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
