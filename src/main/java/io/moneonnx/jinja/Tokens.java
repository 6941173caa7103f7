package io.moneonnx.jinja;

import io.moneonnx.jinja.Token.Kind;
import java.util.List;

/** Tokens of a template, taken one after the other. */
final class Tokens {
  private final List<Token> all;
  private int at;

  Tokens(List<Token> all) {
    this.all = List.copyOf(all);
  }

  Token peek() {
    return peek(0);
  }

  Token peek(int ahead) {
    return all.get(Math.min(at + ahead, all.size() - 1));
  }

  Token take() {
    Token token = peek();
    at++;
    return token;
  }

  boolean at(Kind kind, String text) {
    return peek().is(kind, text);
  }

  boolean atOperator(String text) {
    return at(Kind.OPERATOR, text);
  }

  boolean atName(String text) {
    return at(Kind.NAME, text);
  }

  /** Takes it if it is there. */
  boolean taken(Kind kind, String text) {
    boolean isThere = at(kind, text);
    at += isThere ? 1 : 0;
    return isThere;
  }

  boolean takenOperator(String text) {
    return taken(Kind.OPERATOR, text);
  }

  boolean takenName(String text) {
    return taken(Kind.NAME, text);
  }

  void expectOperator(String text) {
    if (!takenOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  /** Takes the name that must be there. */
  String name() {
    if (peek().kind() != Kind.NAME) {
      throw unexpected("a name");
    }
    return take().text();
  }

  void expectEnd() {
    if (peek().kind() != Kind.TAG_END) {
      throw unexpected("the end of the tag");
    }
    take();
  }

  TemplateException unexpected(String expected) {
    return new TemplateException("found %s, expected %s".formatted(peek().shown(), expected))
        .at(peek().line());
  }
}
