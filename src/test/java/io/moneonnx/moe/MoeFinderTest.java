package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class MoeFinderTest {
  private static final TinyMoe TINY = Spelling.DYNAMO.of(3, 2, 4);

  /** A form that says the same of every routing. */
  private static Form.Factory saying(String name, Recognition recognition) {
    return graph ->
        new Form() {
          @Override
          public String name() {
            return name;
          }

          @Override
          public Recognition recognise(Routing routing) {
            return recognition;
          }
        };
  }

  private static Recognition claim() {
    MoeBlock block = TINY.block();
    return new Recognition.Recognised(
        new Claim(
            block.routing(),
            block.routingWeights(),
            block.output(),
            block.weights(),
            block.owners(),
            block.expertBytes(),
            List.of(),
            new Layout() {
              @Override
              public Rows rows(Ops ops) {
                return new Rows.PerSlot("");
              }

              @Override
              public void remove(Ops ops, Set<Integer> experts) {}
            }));
  }

  private static Recognition warned() {
    Claim claim = ((Recognition.Recognised) claim()).claim();
    return new Recognition.Recognised(claim, List.of("its operator is wrong on the CPU"));
  }

  private static MoeFinder.Findings find(Form.Factory... forms) {
    return new MoeFinder(List.of(forms)).find(Canonical.of(TINY.graph()).graph());
  }

  @Test
  void takesABlockThatOneFormClaims() {
    MoeFinder.Findings findings =
        find(saying("a", claim()), saying("b", new Recognition.NotThisForm("no loop")));

    assertThat(findings.blocks()).extracting(MoeBlock::form).containsExactly("a");
    assertThat(findings.refusals()).isEmpty();
    assertThat(findings.misses()).isEmpty();
  }

  @Test
  void tellsWhatAFormWarnsOf() {
    MoeFinder.Findings findings = find(saying("a", warned()));

    assertThat(findings.blocks()).hasSize(1);
    assertThat(findings.warnings())
        .hasToString("[warning: experts: its operator is wrong on the CPU]");
  }

  @Test
  void warnsOfNoBlockThatIsRefused() {
    assertThat(find(saying("a", warned()), saying("b", claim())).warnings()).isEmpty();
  }

  @Test
  void refusesABlockThatTwoFormsClaim() {
    assertThat(find(saying("a", claim()), saying("b", claim())).refusals())
        .containsExactly(new Refusal("experts", "claimed by several forms: [a, b]"));
  }

  @Test
  void refusesABlockThatOneFormRefusesEvenIfAnotherClaimsIt() {
    MoeFinder.Findings findings =
        find(
            saying("a", claim()),
            saying("b", new Recognition.Refused("half of it")),
            saying("c", new Recognition.NotThisForm("no loop")));

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals()).containsExactly(new Refusal("experts", "b: half of it"));
    assertThat(findings.misses()).containsExactly(new Refusal("experts", "c: no loop"));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE"})
  void tellsThePrecisionOfABlock(ElementType type) {
    assertThat(new MoeFinder(Forms.all(Target.CPU)).find(TINY.in(type).graph()).blocks())
        .extracting(MoeBlock::precision)
        .containsExactly(new Precision(type, false));
  }

  @Test
  void namesBlocksBehindOneRouterApart() {
    Graph twice = TINY.with("router", "layers.0.mlp.gate.weight").twice().graph();

    assertThat(new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(twice).graph()).blocks())
        .extracting(MoeBlock::name)
        .containsExactly("layers.0.mlp", "layers.0.mlp#2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GATHERED | ids = Reshape (experts, last) | Clip (experts, none, top)",
        "GATHERED | ids = Reshape (experts, last) | Add (experts, shift)",
        "TORCHSCRIPT | hot = OneHot <axis = -1> (experts, depth, offOn) | Clip (experts, none, top)",
        "COLUMNS | matrix = ScatterElements <axis = 1> (zeros, experts, gates) | Mod (experts, top)",
      })
  void namesWhatChangesTheIds(Spelling spelling, String use, String change) {
    TinyMoe tiny =
        spelling
            .of(3, 2, 4)
            .with(
                "int64[1] last",
                "int64 none = {0}, int64 top = {2}, int64 shift = {1}, int64[1] last");
    String lookup = use.substring(use.indexOf('=') + 2).replace("experts", "other");
    TinyMoe changed =
        tiny.with(
            use,
            "other = " + change + "\n  " + use.substring(0, use.indexOf(" = ")) + " = " + lookup);
    String operator = change.substring(0, change.indexOf(' '));

    assertThat(changed.find().blocks()).isEmpty();
    assertThat(changed.find().refusals())
        .singleElement()
        .satisfies(
            refusal ->
                assertThat(refusal.reason())
                    .contains(
                        "the ids are changed by " + operator + " '" + operator + " -> other'"));
  }
}
