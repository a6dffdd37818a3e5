package dev.gatun.models.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// E2E, WebNLG, Alpaca and MMLU: prompts and references.
class GenerationTasksTest {
  @TempDir Path folder;

  @Test
  void e2eReferencesAreGatheredByMeaning() throws IOException {
    Path file =
        write(
            "trainset.csv",
            """
            mr,ref
            "name[The Vaults], eatType[pub], priceRange[more than £30]","The Vaults, a pub."
            name[Cotto],"Cotto is ""there""."
            "name[The Vaults], eatType[pub], priceRange[more than £30]",A dear pub.
            """);
    assertThat(E2eNlg.read(file).rows())
        .containsExactly(
            new GenerationRow(
                "name : The Vaults | eatType : pub | priceRange : more than £30",
                List.of("The Vaults, a pub.", "A dear pub."),
                null),
            new GenerationRow("name : Cotto", List.of("Cotto is \"there\"."), null));
    Path hub =
        write(
            "rows.jsonl",
            "{\"meaning_representation\": \"name[Cotto]\", \"human_reference\": \"Cotto.\"}\n");
    assertThat(E2eNlg.read(hub).rows())
        .containsExactly(new GenerationRow("name : Cotto", List.of("Cotto."), null));
    Path text = write("train.txt", "name : Cotto | Type : pub||Cotto is a pub . \n\n");
    assertThat(E2eNlg.read(text).rows())
        .containsExactly(
            new GenerationRow("name : Cotto | Type : pub", List.of("Cotto is a pub ."), null));
  }

  @Test
  void webNlgJsonAndXmlAreOne() throws IOException {
    Path json =
        write(
            "train.json",
            """
            {"entries": [
             {"1": {"category": "Airport", "lexicalisations": [
               {"comment": "good", "lex": "Aarhus is served.", "xml_id": "Id1"},
               {"comment": "toFix", "lex": "Bad.", "xml_id": "Id2"},
               {"comment": "good", "lex": "It serves <Aarhus>.", "xml_id": "Id3"}],
              "modifiedtripleset": [
               {"object": "\\"Aarhus, Denmark\\"", "property": "cityServed", "subject": "Aarhus_Airport"},
               {"object": "2702.0", "property": "runwayLength", "subject": "Aarhus_Airport"}],
              "size": "2"}},
             {"2": {"category": "Food", "lexicalisations": [], "modifiedtripleset": []}}]}
            """);
    Path xml =
        write(
            "train.xml",
            """
            <?xml version="1.0" ?>
            <benchmark><entries>
             <entry category="Airport" eid="Id1" size="2">
              <originaltripleset><otriple>x | y</otriple></originaltripleset>
              <modifiedtripleset>
               <mtriple>Aarhus_Airport | cityServed | "Aarhus, Denmark"</mtriple>
               <mtriple>Aarhus_Airport | runwayLength | 2702.0</mtriple>
              </modifiedtripleset>
              <lex comment="good" lid="Id1">Aarhus is served.</lex>
              <lex comment="toFix" lid="Id2">Bad.</lex>
              <lex comment="good" lid="Id3">It serves &lt;Aarhus&gt;.</lex>
             </entry>
             <entry category="Food" eid="Id2" size="0"/>
            </entries></benchmark>
            """);
    for (Path file : List.of(json, xml)) {
      TaskData<GenerationRow> data = WebNlg.read(file);
      assertThat(data.rows())
          .containsExactly(
              new GenerationRow(
                  "Aarhus_Airport : cityServed : \"Aarhus, Denmark\" | Aarhus_Airport :"
                      + " runwayLength : 2702.0",
                  List.of("Aarhus is served.", "It serves <Aarhus>."),
                  "Airport"));
      assertThat(data.skipped()).isEqualTo(1);
    }
    assertThat(WebNlg.SEEN).contains("Airport").doesNotContain("Athlete");
  }

  @Test
  void alpacaPromptsDependOnTheInput() throws IOException {
    Path list =
        write(
            "alpaca.json",
            """
            [{"instruction": "Add.", "input": "1 + 1", "output": "2"},
             {"instruction": "Greet.", "input": "", "output": "Hello"}]
            """);
    Path lines =
        write(
            "alpaca.jsonl",
            """
            {"instruction": "Add.", "input": "1 + 1", "output": "2"}
            {"instruction": "Greet.", "output": "Hello", "text": "ignored"}
            """);
    for (Path file : List.of(list, lines)) {
      assertThat(Alpaca.read(file).rows())
          .containsExactly(
              new GenerationRow(
                  "Below is an instruction that describes a task, paired with an input that"
                      + " provides further context. Write a response that appropriately completes"
                      + " the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 + 1\n\n###"
                      + " Response:",
                  List.of("2"),
                  null),
              new GenerationRow(
                  "Below is an instruction that describes a task. Write a response that"
                      + " appropriately completes the request.\n\n### Instruction:\nGreet.\n\n###"
                      + " Response:",
                  List.of("Hello"),
                  null));
    }
  }

  @Test
  void mmluPromptsAreTheOriginalOnes() throws IOException {
    Path file =
        write(
            "abstract_algebra_test.csv",
            """
            "Find the degree of
            Q(2), over Q.",0,4,2,6,B
            What is A?,A,B,"C, c",D,A
            """);
    List<ChoiceRow> rows = Mmlu.read(file).rows();
    assertThat(rows)
        .containsExactly(
            new ChoiceRow(
                "abstract_algebra",
                "Find the degree of\nQ(2), over Q.",
                List.of("0", "4", "2", "6"),
                1),
            new ChoiceRow("abstract_algebra", "What is A?", List.of("A", "B", "C, c", "D"), 0));
    String subject = rows.getFirst().subject();
    String header =
        "The following are multiple choice questions (with answers) about  abstract algebra.\n\n";
    String question = "What is A?\nA. A\nB. B\nC. C, c\nD. D\nAnswer:";
    assertThat(Mmlu.prompt(subject, List.of(), rows.get(1))).isEqualTo(header + question);
    assertThat(Mmlu.prompt(subject, rows.subList(0, 1), rows.get(1)))
        .isEqualTo(
            header
                + "Find the degree of\nQ(2), over Q.\nA. 0\nB. 4\nC. 2\nD. 6\nAnswer: B\n\n"
                + question);
    Path named = write("named.csv", "question,A,B,C,D,answer\nq,1,2,3,4,D\n");
    assertThat(Mmlu.read(named).rows())
        .containsExactly(new ChoiceRow("named", "q", List.of("1", "2", "3", "4"), 3));
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }
}
