package dev.gatun.cli;

import dev.gatun.models.peft.InvalidSettingException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/// The program behind `./gatun`: fine-tune, evaluate, run and serve language models with LoRA
/// adapters.
@Command(
    name = "gatun",
    versionProvider = Version.class,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "VERB",
    description = "Fine-tune, run and serve language models with LoRA adapters, on libtorch.",
    subcommands = {
      DoctorCommand.class,
      InspectCommand.class,
      FinetuneCommand.class,
      EvalCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ServeCommand.class,
      MergeCommand.class,
      StudyCommand.class
    })
public final class Main {
  private static final int FAILED = 1;
  private static final int REFUSED = 2;

  private Main() {}

  /// Runs the program; the exit status is 0 if good, 1 if it failed, 2 for what the parser refuses.
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  static int run(String... arguments) {
    CommandLine program = new CommandLine(new Main());
    program.setCaseInsensitiveEnumValuesAllowed(true);
    program.setExecutionExceptionHandler((exception, command, parsed) -> {
      if (exception instanceof RefusedException || exception instanceof InvalidSettingException) {
        System.err.println("gatun: " + exception.getMessage());
        return REFUSED;
      }
      System.err.println("gatun: " + line(exception));
      if (System.getenv("GATUN_TRACE") != null) {
        exception.printStackTrace();
      }
      return FAILED;
    });
    program.setParameterExceptionHandler((ParameterException exception, String[] all) -> {
      System.err.println("gatun: " + exception.getMessage());
      CommandLine.UnmatchedArgumentException.printSuggestions(exception, System.err);
      System.err.println("Try: gatun " + verb(exception.getCommandLine()) + "--help");
      return REFUSED;
    });
    if (arguments.length == 0) {
      program.usage(System.err);
      return REFUSED;
    }
    try {
      return program.execute(arguments);
    } catch (LinkageError error) {
      System.err.println("gatun: " + error.getMessage());
      return FAILED;
    }
  }

  private static String verb(CommandLine command) {
    return command.getParent() == null ? "" : command.getCommandName() + " ";
  }

  /// Returns what is wrong in one line.
  static String line(Exception exception) {
    String text = exception.getMessage();
    return switch (exception) {
      case NoSuchFileException missing ->
          missing.getFile()
              + ": "
              + (missing.getReason() == null ? "no such file" : missing.getReason());
      case AccessDeniedException denied -> denied.getFile() + ": access denied";
      case IOException io when text == null -> io.toString();
      default -> text == null ? exception.toString() : text.lines().findFirst().orElse("");
    };
  }
}
