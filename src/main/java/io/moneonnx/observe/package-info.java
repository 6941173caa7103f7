/** Observer outputs: what experts do on calibration data, measured inside the runtime. */
package io.moneonnx.observe;
