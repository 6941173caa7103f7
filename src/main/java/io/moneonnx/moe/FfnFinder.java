package io.moneonnx.moe;

import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.moe.Ffn.Kind;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.Ffn.Projection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Reads what an expert computes from what makes its output: the last projection, whatever is
 * elementwise before it, and the one or two projections before that. Anything else is opaque.
 *
 * @param banks by what is gathered for each slot the stacked weight that it is gathered from
 * @param pieces by what the pieces of all experts are joined to the piece of one of them
 */
public record FfnFinder(Graph graph, Map<String, String> banks, Map<String, String> pieces) {
  /** Operators that lay a value out otherwise. */
  private static final Set<String> LAYING_OUT =
      Set.of("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  /** Operators that cut a value. */
  private static final Set<String> CUTTING = Set.of("Gather", "Slice", "Split");

  /** Operators that keep what is gathered for one slot apart from what is for others. */
  private static final Set<String> ROW_BY_ROW = Set.of("Cast", "DequantizeLinear", "Transpose");

  private static final Set<String> RUNTIME_PRODUCTS = Set.of("FusedMatMul", "MatMulNBits");

  public FfnFinder {
    banks = Map.copyOf(banks);
    pieces = Map.copyOf(pieces);
  }

  /** Finds what experts compute whose weights are constants of their own. */
  public FfnFinder(Graph graph) {
    this(graph, Map.of(), Map.of());
  }

  /** What each expert computes, in the order of these outputs; empty if one is opaque. */
  public List<Ffn> each(List<String> raws) {
    List<Ffn> found = raws.stream().flatMap(raw -> of(raw).stream()).toList();
    return found.size() == raws.size() ? found : List.of();
  }

  /** What makes an expert's output; empty where it is no feed-forward network. */
  public Optional<Ffn> of(String raw) {
    return last(raw, Optional.empty()).flatMap(this::before);
  }

  /** The last projection, through its bias and what lays its product out. */
  private Optional<Product> last(String raw, Optional<String> bias) {
    Optional<Node> made = graph.producer(pieces.getOrDefault(raw, raw));
    Optional<Product> down = made.flatMap(this::product);
    if (made.isEmpty() || down.isPresent()) {
      return down.map(product -> product.plus(bias));
    }
    Node node = made.get();
    Optional<String> added = node.is("Add") ? addedWeight(node) : Optional.empty();
    return added.isPresent() || LAYING_OUT.contains(node.opType())
        ? last(
            node.input(added.filter(node.input(0)::equals).isPresent() ? 1 : 0),
            added.or(() -> bias))
        : Optional.empty();
  }

  /**
   * What an expert computes whose last product is inside of an {@code Einsum}.
   *
   * @param output what that makes
   */
  public Optional<Ffn> of(Equation equation, List<String> operands, String output) {
    return product(output, equation, operands).flatMap(this::before);
  }

  private Optional<Ffn> before(Product down) {
    Projection last = down.projection();
    int inner = dims(last.weight()).orElseThrow().get(last.in()).intValue();
    return Activation.above(this, down.activations())
        .flatMap(activation -> activation.ffn(down.packed().orElse(inner), down));
  }

  /**
   * A product of activations and a weight.
   *
   * @param packed the size of the axis that is summed over, where the weight is packed along it
   */
  record Product(String activations, Projection projection, Optional<Integer> packed) {
    Product plus(Optional<String> bias) {
      return bias.isEmpty() ? this : new Product(activations, projection.plus(bias.get()), packed);
    }
  }

  /** What a node multiplies by a weight; empty for anything else. */
  Optional<Product> product(Node node) {
    if (node.is("MatMul")) {
      return product(node, node.input(0), node.input(1), true)
          .or(() -> product(node, node.input(1), node.input(0), false));
    } else if (node.is("Gemm")) {
      return node.intAttribute("transA", 0) == 1
          ? Optional.empty()
          : product(node, node.input(0), node.input(1), node.intAttribute("transB", 0) == 0)
              .map(found -> found.plus(node.given(2)));
    } else if (node.is("Einsum")) {
      return Equation.of(node).flatMap(equation -> product(node.output(), equation, node.inputs()));
    } else if (node.domain().equals("com.microsoft") && RUNTIME_PRODUCTS.contains(node.opType())) {
      return node.opType().equals("FusedMatMul")
          ? product(node, node.input(0), node.input(1), node.intAttribute("transB", 0) == 0)
          : Optional.of(node)
              .filter(
                  product -> dims(product.input(1)).filter(dims -> dims.size() >= 2).isPresent())
              .map(FfnFinder::packed);
    }
    return Optional.empty();
  }

  /**
   * @param isInByOut true for a weight {@code [..., in, out]}, false for {@code [..., out, in]}
   */
  private Optional<Product> product(
      Node node, String activations, String weight, boolean isInByOut) {
    if (dims(activations).isPresent()) {
      return Optional.empty();
    }
    return dims(weight)
        .filter(dims -> dims.size() >= 2)
        .map(
            dims -> {
              int in = dims.size() - (isInByOut ? 2 : 1);
              int out = dims.size() - (isInByOut ? 1 : 2);
              int width = dims.get(out).intValue();
              return product(
                  activations,
                  new Projection(node.output(), weight, in, out, width, Optional.empty()));
            });
  }

  private static Product product(String activations, Projection projection) {
    return new Product(activations, projection, Optional.empty());
  }

  private static Product packed(Node node) {
    int out = (int) node.intAttribute("N", 0);
    boolean isPlain = node.intAttribute("weights_prepacked", 0) == 0;
    Packed packed =
        new Packed(
            (int) node.intAttribute("bits", 4),
            (int) node.intAttribute("block_size", 0),
            1,
            2,
            node.given(3).isPresent() ? OptionalInt.of(3) : OptionalInt.empty());
    Projection projection =
        new Projection(
            node.output(),
            node.input(1),
            1,
            0,
            out,
            node.given(5),
            Optional.of(packed).filter(plain -> isPlain));
    int in = (int) node.intAttribute("K", 0);
    return new Product(node.input(0), projection, Optional.of(in));
  }

  private Optional<Product> product(String output, Equation equation, List<String> operands) {
    List<Integer> weights =
        IntStream.range(0, operands.size())
            .filter(i -> dims(operands.get(i)).isPresent())
            .boxed()
            .toList();
    if (operands.size() != 2 || weights.size() != 1) {
      return Optional.empty();
    }
    int at = weights.get(0);
    String axes = equation.operands().get(at);
    String others = equation.operands().get(1 - at);
    int[] in = axes(axes, l -> others.indexOf(l) >= 0 && equation.output().indexOf(l) < 0);
    int[] out = axes(axes, l -> others.indexOf(l) < 0 && equation.output().indexOf(l) >= 0);
    boolean isStacked = out.length == 2 && out[0] == 0; // experts in front, which inputs lack
    if (in.length != 1 || (out.length != 1 && !isStacked)) {
      return Optional.empty();
    }
    int made = out[out.length - 1];
    int width = dims(operands.get(at)).orElseThrow().get(made).intValue();
    return Optional.of(
        product(
            operands.get(1 - at),
            new Projection(output, operands.get(at), in[0], made, width, Optional.empty())));
  }

  private static int[] axes(String letters, IntPredicate isWanted) {
    return IntStream.range(0, letters.length())
        .filter(i -> isWanted.test(letters.charAt(i)))
        .toArray();
  }

  /** The shape of a weight, of all experts where it is gathered; empty for activations. */
  private Optional<List<Long>> dims(String value) {
    if (banks.containsKey(value)) {
      return dims(banks.get(value));
    }
    return Weight.behind(graph, value).map(Weight::dims).or(() -> laidOut(value));
  }

  /** The shape of a gathered weight behind what lays it out. */
  private Optional<List<Long>> laidOut(String value) {
    Optional<Node> node = banks.isEmpty() ? Optional.empty() : graph.producer(value);
    return node.filter(made -> ROW_BY_ROW.contains(made.opType()) || isColumn(made))
        .flatMap(made -> dims(made.input(0)).map(dims -> laidOut(made, dims)));
  }

  private static List<Long> laidOut(Node node, List<Long> dims) {
    return switch (node.opType()) {
      case "Transpose" -> node.permutation(dims.size()).stream().map(dims::get).toList();
      case "Unsqueeze" -> Stream.concat(dims.stream(), Stream.of(1L)).toList();
      default -> dims;
    };
  }

  /** True for an axis of one that is put behind all others. */
  private boolean isColumn(Node node) {
    return node.is("Unsqueeze") && graph.isNumber(node.input(1), -1);
  }

  /** What an addition adds of a weight; empty if it adds something else. */
  private Optional<String> addedWeight(Node add) {
    return add.inputs().stream().filter(input -> dims(input).isPresent()).findFirst();
  }

  /**
   * What is computed between the first projections and the last.
   *
   * @param nodes what is elementwise, lays out or cuts
   * @param products the first projections, by what they make
   */
  private record Activation(FfnFinder finder, List<Node> nodes, Map<String, Product> products) {
    /** What is above a value; empty if that is not elementwise. */
    static Optional<Activation> above(FfnFinder finder, String activations) {
      Activation found = new Activation(finder, new ArrayList<>(), new LinkedHashMap<>());
      Deque<String> pending = new ArrayDeque<>(List.of(activations));
      Set<String> seen = new HashSet<>();
      while (!pending.isEmpty()) {
        String value = pending.pop();
        String own = finder.pieces.getOrDefault(value, value);
        if (seen.add(own) && finder.dims(own).isEmpty() && !found.add(own, pending)) {
          return Optional.empty();
        }
      }
      return Optional.of(found);
    }

    /** False for what is neither elementwise nor a projection. */
    private boolean add(String value, Deque<String> pending) {
      Optional<Node> made = finder.graph.producer(value);
      Optional<Product> product = made.flatMap(finder::product);
      if (product.isPresent()) {
        products.put(value, product.get().plus(bias(value)));
        return true;
      } else if (made.filter(node -> Elementwise.is(node) || isPassing(node)).isEmpty()) {
        return false;
      }
      Node node = made.get();
      nodes.add(node);
      (isPassing(node) ? List.of(node.input(0)) : node.reads()).forEach(pending::push);
      return true;
    }

    private static boolean isPassing(Node node) {
      return node.domain().isEmpty()
          && (LAYING_OUT.contains(node.opType()) || CUTTING.contains(node.opType()));
    }

    /** What is added to a product before anything else is done with it. */
    private Optional<String> bias(String product) {
      return nodes.stream()
          .filter(node -> node.is("Add") && node.inputs().stream().anyMatch(i -> is(i, product)))
          .flatMap(node -> finder.addedWeight(node).stream())
          .findFirst();
    }

    private boolean is(String value, String product) {
      return value.equals(product)
          || nodes.stream()
              .filter(node -> node.output().equals(value) && LAYING_OUT.contains(node.opType()))
              .anyMatch(node -> is(node.input(0), product));
    }

    Optional<Ffn> ffn(int inner, Product down) {
      List<Projection> all = products.values().stream().map(Product::projection).toList();
      Optional<String> given = Optional.of(down.activations());
      return kind(inner, all)
          .map(
              kind -> {
                int up = kind == Kind.GATED && isGate(0) ? 1 : 0;
                Optional<Projection> gate =
                    kind == Kind.GATED ? Optional.of(all.get(1 - up)) : Optional.empty();
                return new Ffn(
                    kind,
                    ActivationName.of(nodes),
                    inner,
                    given,
                    gate,
                    all.get(up),
                    down.projection());
              });
    }

    private Optional<Kind> kind(int inner, List<Projection> all) {
      List<Integer> widths = all.stream().map(Projection::width).toList();
      if (widths.equals(List.of(inner, inner))) {
        return Optional.of(Kind.GATED);
      } else if (widths.equals(List.of(inner))) {
        return Optional.of(Kind.PLAIN);
      } else if (widths.equals(List.of(2 * inner))) {
        return Optional.of(isInterleaved() ? Kind.INTERLEAVED : Kind.CONCATENATED);
      }
      return Optional.empty();
    }

    private boolean isInterleaved() {
      return nodes.stream()
          .anyMatch(
              node -> node.is("Gather") || (node.is("Slice") && isEverySecond(node.input(4))));
    }

    private boolean isEverySecond(String steps) {
      return finder
          .graph
          .integers(steps)
          .filter(step -> Arrays.stream(step).anyMatch(each -> each == 2))
          .isPresent();
    }

    /** True for a product that alone goes through what the activation is named by. */
    private boolean isGate(int index) {
      String product = List.copyOf(products.keySet()).get(index);
      return nodes.stream()
          .filter(ActivationName::isNamedBy)
          .map(node -> above(finder, node.output()).orElseThrow())
          .anyMatch(part -> part.products().keySet().equals(Set.of(product)));
    }
  }
}
