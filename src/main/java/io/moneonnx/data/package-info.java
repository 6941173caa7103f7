/** Calibration data: where they come from, and how they become what a model wants to be fed. */
package io.moneonnx.data;
