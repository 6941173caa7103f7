package io.moneonnx.graph;

import java.util.List;
import java.util.function.Function;

/**
 * The same graph with what slots compute from gathered rows of stacked constants ({@link
 * SlotRegion}) done in pieces: slots are put in the order of the rows they gather, and each piece
 * reads one row for all its slots instead of a copy for each.
 *
 * <pre>{@code
 * rows = Gather (bank [experts, ...], ids [slots])      =>   for each piece, of one expert e:
 * y    = MatMul (rows, x [slots, hidden, 1])                   row = Gather (bank, e)      [1, ...]
 *                                                              own = Gather (x, slots of the piece)
 *                                                              y   = MatMul (row, own)
 * }</pre>
 *
 * How many slots a piece has says {@link SlotPiece}.
 */
public final class SlotPieces {
  /** The most slots of a piece. */
  public static final int MOST = 256;

  private final Model model;
  private final List<SlotRegion> regions;

  private SlotPieces(Model model, List<SlotRegion> regions) {
    this.model = model;
    this.regions = regions;
  }

  public static SlotPieces of(Model model) {
    return new SlotPieces(model, SlotRegion.all(model.graph()));
  }

  /** How many regions there are. */
  public int blocks() {
    return regions.size();
  }

  /** How many slots gather copies of no more than these bytes, in whichever region. */
  public long slots(long bytes) {
    return regions.stream().mapToLong(region -> slots(region, bytes)).min().orElse(0);
  }

  private long slots(SlotRegion region, long bytes) {
    return bytes / region.slotBytes(model.graph());
  }

  /** All regions in pieces, however many slots there are. */
  public Model always() {
    return changed(SlotPiece::inPieces);
  }

  /** Regions in pieces in runs in which the copies would take more than these bytes. */
  public Model within(long bytes) {
    return changed(piece -> piece.beyond(slots(piece.region(), bytes)));
  }

  private Model changed(Function<SlotPiece, String> change) {
    if (regions.isEmpty()) {
      return model;
    }
    GraphEdit edit = new GraphEdit(model);
    for (int i = 0; i < regions.size(); i++) {
      SlotRegion region = regions.get(i);
      Ops ops = new Ops(edit, "mone.pieces." + i);
      edit.redirect(region.output(), change.apply(new SlotPiece(ops, model.graph(), region, MOST)));
    }
    return edit.apply();
  }
}
