package io.moneonnx.canonical;

import java.util.List;

/** All rules; of those that apply to a node, the first wins. */
final class Rules {
  static final List<Rule> ALL =
      List.of(
          new NameConstants(),
          new PassIdentities(),
          new FoldShapes(),
          new SizeOfWeight(),
          new ShapePart(),
          new CastLikeAsCast(),
          new SumAsAdds(),
          new TermsFirst(),
          new PlainTransposes(),
          new TransposedFirst(),
          new HitColumns(),
          new UnitParts(),
          new PlainSlices(),
          new RowsFirst());

  private Rules() {}
}
