/** The steps from a model to a smaller one, as the commands take them. */
package io.moneonnx.pipeline;
