package io.moneonnx.data;

import java.nio.file.Path;

/**
 * A file that was read for calibration.
 *
 * @param bytes its size
 * @param tokens how many tokens were made of it or found in it, 0 where it holds none
 */
public record DataFile(Path path, long bytes, long tokens) {}
