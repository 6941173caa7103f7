/** Proof that a rewritten model does what it should, and how far it has moved. */
package io.moneonnx.verify;
