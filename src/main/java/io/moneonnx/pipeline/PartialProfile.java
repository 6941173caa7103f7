package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.io.CannotWriteException;
import io.moneonnx.profile.Checkpoint;
import io.moneonnx.profile.CheckpointFile;
import io.moneonnx.profile.Measured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Checkpoints in a file beside the profile that is to be, {@code PROFILE.partial}. */
public final class PartialProfile implements Checkpoints {
  private final Path file;
  private final Optional<Duration> interval;
  private final boolean resume;
  private final Console console;
  private Optional<Checkpoint> found = Optional.empty();
  private Map<String, String> run = Map.of();
  private long last = System.nanoTime();

  /**
   * Checkpoints for a profile.
   *
   * @param interval from one to the next; none are written if empty
   * @param resume whether to go on from the one that is there
   */
  public PartialProfile(
      Path profile, Optional<Duration> interval, boolean resume, Console console) {
    this.file = profile.resolveSibling(profile.getFileName() + ".partial");
    this.interval = interval;
    this.resume = resume;
    this.console = console;
  }

  /**
   * Reads the checkpoint to go on with, before any work is done, or checks that none is lost.
   *
   * @param force whether one may be
   * @throws BadInputException if one is there and may not, or is damaged
   */
  public void open(boolean force) {
    if (Files.exists(file) && resume) {
      found = Optional.of(CheckpointFile.read(file));
    } else if (Files.exists(file) && !force) {
      throw new BadInputException(
          file + ": holds an unfinished calibration; --resume continues it, --force starts over");
    } else if (Files.exists(file)) {
      console.say("starting over: " + file + " of a killed or failed calibration is not used");
    }
  }

  /** Checks that no checkpoint replaces one of these files, which are read. */
  public void spare(Collection<Path> inputs) throws IOException {
    Output.check(file, true, inputs, console);
  }

  @Override
  public Measured start(Map<String, String> facts) {
    run = facts;
    last = System.nanoTime();
    if (found.isEmpty()) {
      if (resume) {
        console.say("nothing to resume, beginning at the beginning: there is no " + file);
      }
      return Measured.NOTHING;
    }
    requireSame(found.get().run());
    Measured before = found.get().measured();
    console.say(
        "resuming from %s: %,d runs of the model are done".formatted(file, before.batches()));
    found = Optional.empty();
    return before;
  }

  private void requireSame(Map<String, String> found) {
    Set<String> names = new LinkedHashSet<>(run.keySet());
    names.addAll(found.keySet());
    String differences =
        names.stream()
            .filter(name -> !fact(run, name).equals(fact(found, name)))
            .map(name -> "%s: %s, now %s".formatted(name, fact(found, name), fact(run, name)))
            .collect(Collectors.joining("; "));
    if (!differences.isEmpty()) {
      throw new BadInputException(
          "%s is of another calibration, which --resume does not go on with: %s"
              .formatted(file, differences));
    }
  }

  private static String fact(Map<String, String> facts, String name) {
    return facts.getOrDefault(name, "none");
  }

  /** Times the pause from the end of one checkpoint to the next, however long writing takes. */
  @Override
  public void take(Measured measured) {
    Duration pause = Duration.ofNanos(System.nanoTime() - last);
    if (interval.isPresent() && pause.compareTo(interval.get()) >= 0) {
      write(new Checkpoint(run, measured));
      last = System.nanoTime();
    }
  }

  /** What was measured stays in the file, which is mapped. */
  @Override
  public Measured settle(Measured measured) {
    if (interval.isEmpty()) {
      return measured;
    }
    write(new Checkpoint(run, measured));
    last = System.nanoTime();
    return Files.exists(file) ? CheckpointFile.read(file).measured() : measured;
  }

  /** A disk that is full for now is no reason to lose what a long run has measured. */
  private void write(Checkpoint checkpoint) {
    try {
      CheckpointFile.write(checkpoint, file);
    } catch (CannotWriteException | BadInputException e) {
      console.say(e.getMessage() + "; going on without this checkpoint");
    }
  }

  /** Removes what the profile has made needless. */
  public void remove() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new CannotWriteException(file + ": cannot be removed: " + Reason.of(e), e);
    }
  }
}
