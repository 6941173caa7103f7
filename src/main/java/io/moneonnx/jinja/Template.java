package io.moneonnx.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A parsed chat template. */
public final class Template {
  /** What {@code strftime_now} takes for now, so that rendering gives the same on every day. */
  private static final LocalDateTime NOW = LocalDateTime.of(2024, 7, 26, 0, 0);

  private static final Pattern DATE_PART = Pattern.compile("%.?|[^%]+", Pattern.DOTALL);
  private static final Map<String, String> DATE_FORMATS =
      Map.of(
          "%d",
          "dd", "%m", "MM", "%b", "MMM", "%B", "MMMM", "%Y", "yyyy", "%y", "yy", "%A", "EEEE", "%H",
          "HH", "%M", "mm", "%S", "ss");

  /** As jinja2's sandbox. */
  private static final int LONGEST_RANGE = 100_000;

  private static final Map<String, Object> GLOBALS =
      Map.of(
          "range", (Callable) Template::range,
          "namespace", (Callable) Template::namespace,
          "raise_exception", (Callable) Template::raise,
          "strftime_now", (Callable) Template::now);

  private final Statement body;

  private Template(Statement body) {
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @throws TemplateException if it is not well formed, or uses statements that are not supported
   */
  public static Template parse(String source) {
    try {
      return new Template(new Parser(Lexer.tokens(source)).template());
    } catch (StackOverflowError e) {
      throw new TemplateException("is nested too deeply");
    }
  }

  /**
   * Renders it.
   *
   * @param variables texts, numbers, booleans, null, lists and maps by text
   * @throws TemplateException if the template raises, or does what is not supported
   */
  public String render(Map<String, ?> variables) {
    Map<String, Object> names = new HashMap<>(GLOBALS);
    variables.forEach((name, value) -> names.put(name, Python.of(value)));
    try {
      return body.text(Scope.of(names).inner());
    } catch (StackOverflowError e) {
      throw new TemplateException(
          "is nested too deeply, or its macros call each other without end");
    }
  }

  private static Object range(Arguments arguments) {
    List<Object> given = arguments.positional();
    if (given.isEmpty()
        || given.size() > 3
        || !arguments.named().isEmpty()
        || !given.stream().allMatch(Long.class::isInstance)) {
      throw new TemplateException("range: expected one to three integers");
    }
    long from = given.size() == 1 ? 0 : (long) given.get(0);
    long to = (long) given.get(Math.min(1, given.size() - 1));
    long step = given.size() == 3 ? (long) given.get(2) : 1;
    List<Object> numbers = new ArrayList<>();
    for (long at = from; step >= 0 ? at < to || step == 0 : at > to; at += step) {
      if (step == 0 || numbers.size() == LONGEST_RANGE) {
        throw new TemplateException(
            "range: expected a step, and at most %,d numbers".formatted(LONGEST_RANGE));
      }
      numbers.add(at);
    }
    return new Items(Items.Kind.VIEW, numbers);
  }

  private static Object namespace(Arguments arguments) {
    if (!arguments.positional().isEmpty()) {
      throw new TemplateException("namespace: expected named arguments");
    }
    return new Namespace(arguments.named());
  }

  private static Object raise(Arguments arguments) {
    Object message = arguments.bind("raise_exception", List.of("message")).get("message");
    throw new TemplateException("it raises: " + (message == null ? "" : PythonText.of(message)));
  }

  private static Object now(Arguments arguments) {
    String format = arguments.texts("strftime_now", List.of("format")).getOrDefault("format", "");
    StringBuilder text = new StringBuilder();
    Matcher parts = DATE_PART.matcher(format);
    while (parts.find()) {
      String pattern = DATE_FORMATS.get(parts.group());
      if (pattern == null && parts.group().startsWith("%")) {
        throw new TemplateException("strftime_now: '%s' is not supported".formatted(format));
      }
      text.append(
          pattern == null
              ? parts.group()
              : DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(NOW));
    }
    return text.toString();
  }
}
