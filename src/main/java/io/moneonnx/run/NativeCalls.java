package io.moneonnx.run;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Calls into ONNX Runtime that are under way. A program that is told to stop takes the runtime
 * down, and crashes if somebody still works in it. So its end waits for these calls, cuts runs
 * short (a session's creation cannot be), and lets no other call begin.
 */
final class NativeCalls {
  private static final ReadWriteLock GATE = new ReentrantReadWriteLock();
  private static final Set<OrtSession.RunOptions> RUNS = new HashSet<>();
  private static volatile boolean ending;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(NativeCalls::end));
  }

  private NativeCalls() {}

  /** Something that ONNX Runtime does. */
  @FunctionalInterface
  interface Call<T> {
    T make() throws OrtException;
  }

  /** A run of a session, which has to be told how it may be cut short. */
  @FunctionalInterface
  interface Run<T> {
    T make(OrtSession.RunOptions options) throws OrtException;
  }

  static <T> T call(Call<T> call) throws OrtException {
    GATE.readLock().lock();
    try {
      return call.make();
    } finally {
      GATE.readLock().unlock();
      stopIfEnding();
    }
  }

  static <T> T run(Run<T> run) throws OrtException {
    return call(
        () -> {
          try (OrtSession.RunOptions options = new OrtSession.RunOptions()) {
            add(options);
            try {
              return run.make(options);
            } finally {
              remove(options);
            }
          }
        });
  }

  private static void add(OrtSession.RunOptions options) {
    synchronized (RUNS) {
      RUNS.add(options);
    }
  }

  private static void remove(OrtSession.RunOptions options) {
    synchronized (RUNS) {
      RUNS.remove(options);
    }
  }

  private static void end() {
    ending = true;
    try {
      while (!GATE.writeLock().tryLock(50, TimeUnit.MILLISECONDS)) {
        cutShort();
      }
    } catch (InterruptedException | OrtException e) {
      // The program ends one way or another.
    }
  }

  private static void cutShort() throws OrtException {
    synchronized (RUNS) {
      for (OrtSession.RunOptions run : RUNS) {
        run.setTerminate(true);
      }
    }
  }

  /** Nobody wants to know that a run was cut short: whoever called waits for the end. */
  private static void stopIfEnding() {
    while (ending) {
      try {
        Thread.sleep(1000);
      } catch (InterruptedException e) {
        // There is nothing to go on with.
      }
    }
  }
}
