package io.moneonnx.jinja;

import java.util.List;

/**
 * What {@code loop} stands for.
 *
 * @param index of the round, counted from 0
 */
record Loop(List<Object> items, int index) {
  Object get(String name) {
    return switch (name) {
      case "index0" -> (long) index;
      case "index" -> index + 1L;
      case "revindex0" -> items.size() - 1L - index;
      case "revindex" -> (long) items.size() - index;
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> (long) items.size();
      case "previtem" -> item(index - 1);
      case "nextitem" -> item(index + 1);
      default -> throw new TemplateException("'loop.%s' is not supported".formatted(name));
    };
  }

  private Object item(int at) {
    return at >= 0 && at < items.size()
        ? items.get(at)
        : new Undefined("the loop has no item there");
  }
}
