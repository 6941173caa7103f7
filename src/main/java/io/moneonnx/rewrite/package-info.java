/** Replacing experts by novices: what is the same for every form. */
package io.moneonnx.rewrite;
