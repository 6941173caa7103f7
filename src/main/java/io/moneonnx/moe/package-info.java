/** What holds in every Mixture-of-Experts graph: routing, blocks, and what a form must answer. */
package io.moneonnx.moe;
