package io.moneonnx.moe;

/**
 * One routing decision: which experts each token goes to.
 *
 * @param indices value, int64 {@code [..., topK]}: the ids of the chosen experts
 * @param scores value {@code [..., experts]}: what the choice was made from, empty if unknown
 * @param topK experts chosen for each token
 * @param experts width of the router, {@code E}
 * @param hidden width of the router's input, {@code H}
 * @param input value {@code [..., hidden]} that the router scores, before any reshaping
 * @param router the initializer that holds the router's weight
 * @param kind what the router computes, by the name of its pattern, or {@code unknown}
 */
public record Routing(
    String indices,
    String scores,
    int topK,
    int experts,
    int hidden,
    String input,
    String router,
    String kind) {}
