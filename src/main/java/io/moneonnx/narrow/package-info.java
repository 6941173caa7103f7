/**
 * The mathematics of narrow experts: which inner neurons of an expert matter least, the down
 * projection re-fitted to the others, and how a byte budget is shared out over all experts.
 *
 * <p>An expert is a sum over its inner neurons, {@code f(x) = sum_j D[:,j] a_j(x)}. Without some of
 * them it is narrower, and {@code D} is re-fitted to the rest by least squares.
 */
package io.moneonnx.narrow;
