package io.moneonnx.verify;

import java.util.Optional;

/**
 * How far one block has moved, each model in its own run: what blocks before it changed is in it.
 *
 * @param output of its routed output
 * @param calls empty where it is not known which experts are gone, or where they cannot be counted
 */
public record BlockDrift(Distance output, Optional<Calls> calls) {
  BlockDrift plus(BlockDrift other) {
    return new BlockDrift(
        output.plus(other.output), calls.flatMap(mine -> other.calls.map(mine::plus)));
  }
}
