/** Golden outputs: what a model put out once, kept small, to hold later runs against. */
package io.moneonnx.verify.golden;
