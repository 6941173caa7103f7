package io.moneonnx.moe;

/**
 * A routed block that is left as it is.
 *
 * @param where the block or node, by name
 * @param reason what was found and what was wanted
 */
public record Refusal(String where, String reason) {}
