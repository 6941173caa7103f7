/** What one calibration pass measured of each block: statistics, their merge and their file. */
package io.moneonnx.profile;
