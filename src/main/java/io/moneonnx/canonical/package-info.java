/**
 * One spelling for what exporters spell in several ways, made before anything is looked for, and
 * the way back to each exporter's own.
 */
package io.moneonnx.canonical;
