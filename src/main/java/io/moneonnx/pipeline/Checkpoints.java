package io.moneonnx.pipeline;

import io.moneonnx.profile.Measured;
import java.util.Map;

/** Where a calibration puts down what it has measured so far, and from where another goes on. */
public interface Checkpoints {
  /** Nothing is put down. */
  Checkpoints NONE =
      new Checkpoints() {
        @Override
        public Measured start(Map<String, String> run) {
          return Measured.NOTHING;
        }

        @Override
        public void take(Measured measured) {}

        @Override
        public Measured settle(Measured measured) {
          return measured;
        }
      };

  /**
   * What was measured before; nothing if there is nothing to go on with.
   *
   * @param run what must be the same for that, by name: model, data, options, device
   * @throws io.moneonnx.graph.BadInputException if what is there is damaged, or of another run
   */
  Measured start(Map<String, String> run);

  /** Puts it down if it is time to. */
  void take(Measured measured);

  /** Puts down what is complete of some blocks, and frees the memory that it takes. */
  Measured settle(Measured measured);
}
