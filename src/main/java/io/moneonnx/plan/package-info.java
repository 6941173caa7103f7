/** Which experts go: criteria score them, a budget says how many, a plan writes it down. */
package io.moneonnx.plan;
