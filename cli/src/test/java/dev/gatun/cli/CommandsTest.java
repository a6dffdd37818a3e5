package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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

  @Test
  void finetuneWritesWhatItPromisesAndEvalAgrees(@TempDir Path directory) {
    String out = directory.resolve("run").toString();
    Ended run =
        Ended.gatun(
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
    assertThat(run.status()).as(run.err()).isZero();
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
        Ended.gatun(
            "eval", "--model", LLAMA, "--data", held.toString(), "--threads", "1", "--json");
    Ended after =
        Ended.gatun(
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
    "llama,dora,--dropout,'lora-dropout:p=0.2,n=2'",
    "gpt2,dora,--dropout,branch@0.1",
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
        Ended.gatun(
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
    assertThat(run.status()).as(run.err()).isZero();
    double before = run.json().get("eval_loss_before").asDouble();
    double after = run.json().get("eval_loss_after").asDouble();
    assertThat(after).isLessThan(before);
    String adapter = run.json().get("adapter").asString();
    Ended eval = Ended.gatun(with(common, "eval", "--data", held.toString(), "--adapter", adapter));
    assertThat(eval.status()).as(eval.err()).isZero();
    assertThat(eval.json().get("loss").asDouble()).isCloseTo(after, within(1e-5));
  }

  private static String[] with(String[] common, String... first) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(common)).toArray(String[]::new);
  }

  @Test
  void parquetIsReadHere(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("a.parquet"), "not Parquet");
    Ended run = Ended.gatun("eval", "--model", LLAMA, "--data", file.toString());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .endsWith(": found another beginning or end than PAR1, expected a Parquet file\n");
  }

  @Test
  void conversationsAreWrittenByTheModelsTemplate(@TempDir Path directory) throws IOException {
    Path model = Files.createDirectory(directory.resolve("model"));
    for (String name :
        List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(Path.of("../demo/model", name), model.resolve(name));
    }
    Path chat =
        Files.writeString(
            directory.resolve("chat.jsonl"),
            "{\"messages\": [{\"role\": \"user\", \"content\": \"int a\"},"
                + " {\"role\": \"assistant\", \"content\": \"= 1;\"}]}\n");
    Path same =
        Files.writeString(
            directory.resolve("same.jsonl"),
            "{\"prompt\": \"[int a] \", \"completion\": \"= 1;\"}\n");
    Path template = model.resolve("chat_template.jinja");

    JsonNode plain = evaluated(model, chat).json();
    Files.writeString(
        template,
        "{{ bos_token }}{% for m in messages %}"
            + "{{ '[' ~ m.content ~ '] ' if m.role == 'user' else m.content }}{% endfor %}");
    JsonNode templated = evaluated(model, chat).json();
    assertThat(templated).isEqualTo(evaluated(model, same).json());
    assertThat(templated.get("loss")).isNotEqualTo(plain.get("loss"));

    Files.writeString(template, "{{ raise_exception('no questions') }}");
    Ended refused = evaluated(model, chat);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err())
        .contains("chat.jsonl: line 1, messages: found " + template + ": line 1: no questions");
    Files.writeString(template, "{% include 'x' %}");
    assertThat(evaluated(model, same).status()).isZero();
    assertThat(evaluated(model, chat).err()).contains("found tag include");
  }

  private static Ended evaluated(Path model, Path data) {
    return Ended.gatun(
        "eval", "--model", model.toString(), "--data", data.toString(), "--threads", "1", "--json");
  }

  @Test
  void generateContinuesIds() {
    Ended run =
        Ended.gatun(
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
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.json().get("ids").size()).isEqualTo(4);
    assertThat(run.json().has("tokens_per_second")).isTrue();
  }

  @Test
  void anEnsembleContinuesIds() {
    String[] arguments = {
      "generate",
      "--model",
      LLAMA,
      "--adapter",
      PARITY.resolve("llama/adapters/all-linear").toString(),
      "--prompt-ids",
      "1,2,3",
      "--max-new-tokens",
      "12",
      "--threads",
      "1",
      "--json",
      "--ensemble",
      "lora-dropout:p=0.5,n=4"
    };
    Ended run = Ended.gatun(arguments);
    assertThat(run.status()).as(run.err()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("ids").size()).isEqualTo(12);
    assertThat(json.get("finish_reason").asString()).isEqualTo("length");
    assertThat(json.get("tokens_per_second").asDouble()).isPositive();
    assertThat(Ended.gatun(arguments).json().get("ids")).isEqualTo(json.get("ids"));
    Ended plain = Ended.gatun(Arrays.copyOf(arguments, arguments.length - 2));
    assertThat(plain.json().get("ids")).isNotEqualTo(json.get("ids"));
    arguments[arguments.length - 1] = "lora-dropout:p=1e-12,n=2"; // drops nothing
    assertThat(Ended.gatun(arguments).json().get("ids")).isEqualTo(plain.json().get("ids"));
  }

  @Test
  void beamsAreGivenBestFirst() {
    String[] arguments = {
      "generate",
      "--model",
      LLAMA,
      "--prompt-ids",
      "1,2,3",
      "--max-new-tokens",
      "6",
      "--beams",
      "3",
      "--length-penalty",
      "0.8",
      "--no-repeat-ngram",
      "2",
      "--threads",
      "1",
      "--json"
    };
    Ended run = Ended.gatun(arguments);
    assertThat(run.status()).as(run.err()).isZero();
    JsonNode json = run.json();
    JsonNode beams = json.get("beams");
    assertThat(beams.size()).isEqualTo(3);
    assertThat(json.get("ids")).isEqualTo(beams.get(0).get("ids"));
    assertThat(json.get("score")).isEqualTo(beams.get(0).get("score"));
    for (int i = 1; i < 3; i++) {
      assertThat(beams.get(i).get("score").asDouble())
          .isLessThanOrEqualTo(beams.get(i - 1).get("score").asDouble());
    }
    assertThat(Ended.gatun(Arrays.copyOf(arguments, arguments.length - 1)).out().strip())
        .isEqualTo(
            Arrays.toString(json.get("ids").valueStream().mapToInt(JsonNode::asInt).toArray()));
  }

  @Test
  void doctorNamesWhatItFound() {
    Ended run = Ended.gatun("doctor", "--json");
    assertThat(run.status()).as(run.err()).isZero();
    JsonNode json = run.json();
    for (String field :
        new String[] {"version", "libtorch", "jdk", "threads", "cpu", "vector_kernels", "cuda"}) {
      assertThat(json.has(field)).as(field).isTrue();
    }
    for (String field : new String[] {"version", "path", "source"}) {
      assertThat(json.get("libtorch").has(field)).as(field).isTrue();
    }
    assertThat(json.get("self_test").get("live_tensors_after").asInt()).isZero();
    assertThat(Ended.gatun("doctor").out())
        .containsPattern("(?m)^vector_kernels +" + Pattern.quote(Backend.kernels()) + "$");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | finetune --model L --data D --dropout foo | --dropout",
        "2 | finetune --model L --data D --dropout hiddenkey:p=1 | --dropout",
        "2 | finetune --model L --data D --dropout key-row@0.1 | pattern: found",
        "2 | finetune --model L --data D --method full --dropout lora-dropout | masks of adapters",
        "2 | finetune --model L --data D --method bitfit --dropout branch@0.1 | masks of adapters",
        "2 | eval --model L --data D --expected-dropout 1.5 | --expected-dropout: found 1.5",
        "2 | eval --model L --data D --weights int4 | --weights",
        "2 | eval --model L --data D --ensemble dropkey --expected-dropout 0.1 | beside --ensemble",
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
        "2 | generate --model L --prompt-ids 1 --no-repeat-ngram -1 | --no-repeat-ngram: found -1",
        "2 | generate --model L --prompt-ids 1 --beams 0 | --beams: found 0, expected at least 1",
        "2 | generate --model L --prompt-ids 1 --beams 2 --temperature 1 | --beams: found 2 with --temperature",
        "2 | generate --model L --prompt-ids 1 --beams 2 --top-k 5 | --beams: found 2 with",
        "2 | generate --model L --prompt-ids 1 --length-penalty 1 | --length-penalty: found with one beam",
        "2 | generate --model L --prompt-ids 1 --early-stopping | --early-stopping: found with one beam",
        "2 | generate --model L --prompt-ids 1 --beams 2 --length-penalty NaN | --length-penalty: found NaN",
        "1 | generate --model L --prompt-ids 1 --beams 97 | beams: found 97, expected at most",
        "2 | generate --model L --prompt-ids 1 --adapter A --ensemble dropkey | --ensemble: dropout: found masks other",
        "2 | generate --model L --prompt-ids 1 --adapter A --ensemble lora-dropout:n=0 | instances: found 0, expected 1 to 100",
        "2 | generate --model L --prompt-ids 1 --adapter A --ensemble lora-dropout:p=0 | --ensemble: rate: found 0.0",
        "2 | generate --model L --prompt-ids 1 --ensemble lora-dropout | --ensemble: found no --adapter",
        "2 | generate --model L --prompt-ids 1 --adapter A --ensemble lora-dropout --beams 2 | --ensemble: found with --beams",
        "2 | generate --model L --prompt hello | tokenizer.json",
        "1 | finetune --model L --data /no/such/file | /no/such/file",
        "1 | finetune --model /no/such/model --data D | /no/such/model",
        "1 | eval --model L --data D --adapter /no/such/adapter | /no/such/adapter",
        "1 | generate --model L --prompt-ids 999 --max-new-tokens 1 | 999",
        "2 | generate --model L --prompt-ids 1 --device tpu | device: found tpu, expected cpu, cuda",
        "1 | generate --model L --prompt-ids 1 --device cuda:99 | device cuda:99: ",
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
    Ended run = Ended.gatun(arguments);
    assertThat(run.status()).as(run.err()).isEqualTo(status);
    assertThat(run.err().lines().filter(line -> line.startsWith("gatun: "))).hasSize(1);
    assertThat(run.err()).contains(named);
    assertThat(run.out()).isEmpty();
  }
}
