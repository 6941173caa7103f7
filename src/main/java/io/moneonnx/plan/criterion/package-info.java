/** What experts are worth: one small class for each criterion, and {@code Criteria} lists them. */
package io.moneonnx.plan.criterion;
