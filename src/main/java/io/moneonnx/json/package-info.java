/** Records as JSON and back: the one place that knows how a value of the program is spelled. */
package io.moneonnx.json;
