package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.Backend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The command-line contract: exit statuses, JSON fields, one-line errors.
class CommandsTest {
  private static final Path PARITY = Path.of("../models/src/test/resources/parity");
  private static final String LLAMA = PARITY.resolve("llama").toString();
  private static final String ROWS = PARITY.resolve("llama/train/train.jsonl").toString();
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// What a command printed and how it ended.
  private record Ended(int status, String out, String err) {
    JsonNode json() {
      return JSON.readTree(out.strip().lines().reduce((a, b) -> b).orElse(""));
    }
  }

  private static Ended gatun(String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int status = Main.run(arguments);
      return new Ended(
          status,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @Test
  void finetuneWritesWhatItPromisesAndEvalAgrees(@TempDir Path directory) {
    String out = directory.resolve("run").toString();
    Ended run =
        gatun(
            "finetune",
            "--model",
            LLAMA,
            "--data",
            ROWS,
            "--eval-split",
            "0.2",
            "--no-shuffle",
            "--steps",
            "6",
            "--lr",
            "1e-2",
            "--threads",
            "1",
            "--out",
            out,
            "--portable",
            "--json");
    assertThat(run.status).as(run.err).isZero();
    JsonNode json = run.json();
    assertThat(json.get("steps").asInt()).isEqualTo(6);
    assertThat(json.get("train_loss").size()).isEqualTo(6);
    assertThat(json.get("kl_loss").size()).isEqualTo(6);
    for (String field :
        new String[] {"tokens_per_second", "peak_native_bytes", "peak_rss_bytes", "adapter"}) {
      assertThat(json.has(field)).as(field).isTrue();
    }
    assertThat(directory.resolve("run/metrics.jsonl")).exists();
    assertThat(directory.resolve("run/report.html")).exists();
    assertThat(directory.resolve("run/adapter-portable/adapter_config.json")).exists();

    // the split of --no-shuffle is the last rows
    Path held = directory.resolve("held.jsonl");
    try {
      var lines = Files.readAllLines(Path.of(ROWS));
      Files.write(held, lines.subList(lines.size() - lines.size() / 5, lines.size()));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    Ended before =
        gatun("eval", "--model", LLAMA, "--data", held.toString(), "--threads", "1", "--json");
    Ended after =
        gatun(
            "eval",
            "--model",
            LLAMA,
            "--data",
            held.toString(),
            "--threads",
            "1",
            "--json",
            "--adapter",
            json.get("adapter").asString());
    assertThat(before.json().get("loss").asDouble())
        .isCloseTo(json.get("eval_loss_before").asDouble(), within(1e-5));
    assertThat(after.json().get("loss").asDouble())
        .isCloseTo(json.get("eval_loss_after").asDouble(), within(1e-5));
    assertThat(after.json().get("loss").asDouble())
        .isLessThan(before.json().get("loss").asDouble());
  }

  @ParameterizedTest
  @CsvSource({
    "llama,dora,--lora-plus-ratio,4",
    "llama,adalora,--rank-steps,'1,1,1'",
    "llama,adalora,--sparsity,'0.1,0.5'",
    "gpt2,bitfit,--dropout,none",
    "gpt2,houlsby,--bottleneck,4",
    "llama,pfeiffer,--bottleneck,4"
  })
  void whatAMethodTrainedIsReadByEval(
      String name, String method, String option, String value, @TempDir Path directory)
      throws IOException {
    String model = PARITY.resolve(name).toString();
    Path held = directory.resolve("held.jsonl");
    Files.write(held, Files.readAllLines(Path.of(ROWS)).subList(0, 4));
    String[] common = {"--model", model, "--threads", "1", "--json"};
    Ended run =
        gatun(
            with(
                common,
                "finetune",
                "--data",
                ROWS,
                "--eval",
                held.toString(),
                "--method",
                method,
                option,
                value,
                "--steps",
                "6",
                "--lr",
                "2e-2",
                "--out",
                directory.resolve("run").toString()));
    assertThat(run.status).as(run.err).isZero();
    double before = run.json().get("eval_loss_before").asDouble();
    double after = run.json().get("eval_loss_after").asDouble();
    assertThat(after).isLessThan(before);
    String adapter = run.json().get("adapter").asString();
    Ended eval = gatun(with(common, "eval", "--data", held.toString(), "--adapter", adapter));
    assertThat(eval.status).as(eval.err).isZero();
    assertThat(eval.json().get("loss").asDouble()).isCloseTo(after, within(1e-5));
  }

  private static String[] with(String[] common, String... first) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(common)).toArray(String[]::new);
  }

  @Test
  void generateContinuesIds() {
    Ended run =
        gatun(
            "generate",
            "--model",
            LLAMA,
            "--prompt-ids",
            "1,2,3",
            "--max-new-tokens",
            "4",
            "--threads",
            "1",
            "--json");
    assertThat(run.status).as(run.err).isZero();
    assertThat(run.json().get("ids").size()).isEqualTo(4);
    assertThat(run.json().has("tokens_per_second")).isTrue();
  }

  @Test
  void doctorNamesWhatItFound() {
    Ended run = gatun("doctor", "--json");
    assertThat(run.status).as(run.err).isZero();
    JsonNode json = run.json();
    for (String field :
        new String[] {"version", "libtorch", "jdk", "threads", "cpu", "vector_kernels", "cuda"}) {
      assertThat(json.has(field)).as(field).isTrue();
    }
    for (String field : new String[] {"version", "path", "source"}) {
      assertThat(json.get("libtorch").has(field)).as(field).isTrue();
    }
    assertThat(json.get("self_test").get("live_tensors_after").asInt()).isZero();
    assertThat(gatun("doctor").out)
        .containsPattern("(?m)^vector_kernels +" + Pattern.quote(Backend.kernels()) + "$");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | finetune --model L --data D --dropout foo | --dropout",
        "2 | finetune --model L --data D --dropout hiddenkey:p=1 | --dropout",
        "2 | finetune --model L --data D --dropout lora-dropout | not implemented",
        "2 | finetune --model L --data D --rank 0 | r",
        "2 | finetune --model L --data D --targets nope | target_modules",
        "2 | finetune --model L --data D --batch 0 | --batch",
        "2 | finetune --model L --data D --steps -1 | --steps",
        "2 | finetune --model L --data D --lr nan | --lr",
        "2 | finetune --model L --data D --eval-split 1 | --eval-split",
        "2 | finetune --model L --data D --max-length 1 | --max-length",
        "2 | finetune --model L --data D --method full --rank 4 | --rank",
        "2 | finetune --model L --data D --method full --dtype bf16 | --dtype",
        "2 | finetune --model L --data D --method houlsby --rank 4 | --rank",
        "2 | finetune --model L --data D --method bitfit --init-adapter A | --init-adapter",
        "2 | finetune --model L --data D --method adalora --init-adapter A | --init-adapter",
        "2 | finetune --model L --data D --method dora --target-rank 4 | --target-rank",
        "2 | finetune --model L --data D --method adalora --rank 4 | --target-rank",
        "2 | finetune --model L --data D --method adalora --rslora | --rslora",
        "2 | finetune --model L --data D --method adalora --rank-steps 1,2 | --rank-steps",
        "2 | finetune --model L --data D --method adalora --steps 3 --rank-steps 2,1,1 | total_step",
        "2 | finetune --model L --data D --method adalora --portable | --portable",
        "2 | finetune --model L --data D --method full --lora-plus-ratio 4 | --lora-plus-ratio",
        "2 | finetune --model L --data D --lora-plus-ratio 0 | --lora-plus-ratio",
        "2 | finetune --model L --data D --sparsity 1,2 | --sparsity",
        "2 | finetune --model L --data D --bottleneck 4 | --bottleneck",
        "2 | finetune --model L --data D --method pfeiffer --bottleneck 0 | --bottleneck",
        "1 | finetune --model L --data D --method bitfit | biases",
        "2 | finetune --model L --data D --pack --no-shuffle | --pack",
        "2 | finetune --model L --data D --resume | --resume",
        "2 | finetune --model L | --data",
        "2 | finetune --nonsense | --nonsense",
        "2 | generate --model L | --prompt",
        "2 | generate --model L --prompt-ids 1 --temperature -1 | temperature",
        "2 | generate --model L --prompt hello | tokenizer.json",
        "1 | finetune --model L --data /no/such/file | /no/such/file",
        "1 | finetune --model /no/such/model --data D | /no/such/model",
        "1 | eval --model L --data D --adapter /no/such/adapter | /no/such/adapter",
        "1 | generate --model L --prompt-ids 999 --max-new-tokens 1 | 999",
      })
  void refusalsAreOneLineThatNamesTheCulprit(int status, String command, String named) {
    String[] arguments = command.strip().split(" ", -1);
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] =
          switch (arguments[i]) {
            case "L" -> LLAMA;
            case "D" -> ROWS;
            default -> arguments[i];
          };
    }
    Ended run = gatun(arguments);
    assertThat(run.status).as(run.err).isEqualTo(status);
    assertThat(run.err.lines().filter(line -> line.startsWith("gatun: "))).hasSize(1);
    assertThat(run.err).contains(named);
    assertThat(run.out).isEmpty();
  }
}
