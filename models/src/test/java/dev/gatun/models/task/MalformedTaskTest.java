package dev.gatun.models.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each fault gives one line: file, place, found, expected.
class MalformedTaskTest {
  private interface Reader {
    TaskData<?> read(Path file) throws IOException;
  }

  private static final Map<String, Reader> READERS =
      Map.of(
          "cola", Glue.COLA::read,
          "sst2", Glue.SST2::read,
          "qqp", Glue.QQP::read,
          "stsb", Glue.STSB::read,
          "mnli", Glue.MNLI::read,
          "e2e", E2eNlg::read,
          "webnlg", WebNlg::read,
          "alpaca", Alpaca::read,
          "mmlu", Mmlu::read,
          "squad", Squad::read);

  @TempDir Path folder;

  /// A slash stands for the end of a line, `>` for a tab.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          sst2   | a.tsv   | text>label/a>1                  | line 1        | the columns text, label | sentence, label
          mnli   | a.tsv   | sentence1>sentence2>label/a>b>0 | line 1        | the columns sentence1   | gold_label; or premise, hypothesis, label
          sst2   | a.tsv   | sentence>label/a>1/b            | line 3        | 1 fields                | 2 fields
          sst2   | a.tsv   | sentence>label/a>b>1            | line 2        | 3 fields                | 2 fields
          sst2   | a.tsv   | label>label/a>1                 | line 1        | column label twice      | once
          cola   | a.tsv   | gj04>1>>a/gj04>2>>b             | line 2, label | "2"                     | 0 to 1, or unacceptable, acceptable
          cola   | a.tsv   | gj04>1>a                        | line 1        | 3 fields                | 4 fields
          sst2   | a.tsv   | sentence>label/a>1/b>Positive   | line 3, label | "Positive"              | negative, positive
          sst2   | a.tsv   | sentence>label/a>               | line 2, label | ""                      | 0 to 1
          sst2   | a.tsv   | sentence>label/a>-1             | line 2, label | "-1"                    | 0 to 1
          sst2   | a.tsv   | sentence>label/a>1.0            | line 2, label | "1.0"                   | 0 to 1
          mnli   | a.csv   | premise,hypothesis,label/a,b,-  | line 2, label | "-"                     | 0 to 2, or entailment, neutral, contradiction
          qqp    | a.tsv   | id>qid1/a>1                     | line 1        | the columns id, qid1    | question1, question2, is_duplicate
          stsb   | a.csv   | sentence1,sentence2,label/a,b,NaN | line 2, label | "NaN"                 | a finite number
          stsb   | a.csv   | sentence1,sentence2,label/a,b,1e999 | line 2, label | "1e999"             | a finite number
          stsb   | a.csv   | sentence1,sentence2,label/a,b,x | line 2, label | "x"                     | a finite number
          stsb   | a.csv   | sentence1,sentence2,label/a,b,  | line 2, label | ""                      | a finite number
          stsb   | a.csv   | sentence1,sentence2,label/a,b,1d | line 2, label | "1d"                   | a finite number
          sst2   | a.csv   | sentence,label/"a,1/b,1         | line 2        | a quote without an end  | behind it
          sst2   | a.csv   | sentence,label/b,1/"a"b,1       | line 3        | " inside a quoted field | "" there
          sst2   | a.jsonl | {"sentence": "a", "label": 1}/{"sentence": 5, "label": 1} | line 2, sentence | the number 5 | a text
          sst2   | a.jsonl | {"sentence": null, "label": 1}  | line 1, sentence | null                 | a text
          sst2   | a.jsonl | {"sentence": "a", "label": true} | line 1, label | true                   | 0 to 1
          sst2   | a.jsonl | {"sentence": "a", "label": 2}   | line 1, label | the number 2            | 0 to 1
          sst2   | a.jsonl | {"sentence": "a"}               | line 1        | the columns sentence    | sentence, label
          sst2   | a.jsonl | {"sentence": "a", "label":      | line 1        | Unexpected end-of-input | a JSON object
          sst2   | a.jsonl | {"sentence": "a", "sentence": "b", "label": 1} | line 1 | Duplicate        | a JSON object
          sst2   | a.jsonl | [1]                             | line 1        | an array                | an object
          sst2   | a.json  | [{"sentence": "a", "label": 1},/5] | line 2     | the number 5            | an object
          sst2   | a.json  | [{"sentence": "a", "label": 1},/{"sentence": "b"}] | line 2 | the columns sentence | sentence, label
          sst2   | a.json  | [{"sentence": "a", "label": 1}, | line          | Unexpected end-of-input | valid JSON
          sst2   | a.json  | [{"sentence": "a", "label": 1}] 5 | line 1      | more behind the list    | its end
          stsb   | a.jsonl | {"sentence1": "a", "sentence2": "b", "label": NaN} | line 1 | NaN            | a JSON object
          sst2   | a.arrow   | x                             | name          | a.arrow                 | .tsv, .txt, .csv, .jsonl, .ndjson, .json or .parquet
          sst2   | a.parquet | x                             | name          | .parquet                | gatun-parquet
          e2e    | a.csv   | mr,text/name[a],b               | line 1        | the columns mr, text    | mr, ref; or meaning_representation
          e2e    | a.csv   | mr,ref/a pub,b                  | line 2, mr    | "a pub"                 | name[The Eagle]
          e2e    | a.csv   | mr,ref/"name[a], pub",b         | line 2, mr    | "name[a], pub"          | name[The Eagle]
          e2e    | a.txt   | a b                             | line 1        | 0 times                 | prompt
          webnlg | a.json  | {"entries": [{"1": {"category": "A", "modifiedtripleset": [{"subject": "s"}]}}]} | entries[0].1.modifiedtripleset[0].property | nothing | a string
          webnlg | a.json  | {"entries": [{"1": {"category": "A" | line 1    | Unexpected end-of-input | valid JSON
          webnlg | a.json  | {"data": []}                    | entries       | nothing                 | an array
          webnlg | a.xml   | <b><entry category="A"><mtriple>a : b : c</mtriple></entry></b> | line 1 | "a : b : c" | subject
          webnlg | a.xml   | <b>/<entry category="A">        | line          | XML document structures | valid XML
          webnlg | a.xml   | <b>/<entry></entry></b>         | line 2        | an entry without category | it
          alpaca | a.jsonl | {"instruction": "a"}            | line 1        | the columns instruction | instruction, output
          alpaca | a.json  | [{"instruction": "a", "output": ["b"]}] | line 1, output | an array       | a text
          mmlu   | a.csv   | q,1,2,3,4,E                     | line 1, answer | "E"                    | A, B, C or D
          mmlu   | a.csv   | q,1,2,3,A                       | line 1        | 5 fields                | 6 fields
          mmlu   | a.jsonl | {"question": "q", "subject": "s", "choices": ["1", "2", "3"], "answer": 0} | line 1, choices | 3 answers | four
          mmlu   | a.jsonl | {"question": "q", "subject": "s", "choices": ["1", "2", "3", "4"], "answer": 4} | line 1, answer | the number 4 | 0 to 3
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "1", "question": "q", "answers": [{"text": "b", "answer_start": 2}]}]}]}]} | data[0].paragraphs[0].qas[0].answers[0].text | "b" at 2 | what the context has there
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "1", "question": "q", "answers": [{"text": "b", "answer_start": 99}]}]}]}]} | data[0].paragraphs[0].qas[0].answers[0].text | "b" at 99 | what the context has there
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "1", "question": "q", "answers": [{"text": "b", "answer_start": -1}]}]}]}]} | data[0].paragraphs[0].qas[0].answers[0].answer_start | the number -1 | a whole number
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "1", "question": "q", "answers": []}]}]}]} | data[0].paragraphs[0].qas[0].answers | 0 answers | at least one
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc", "qas": [{"id": "1", "question": "q", "is_impossible": true, "answers": [{"text": "b", "answer_start": 1}]}]}]}]} | data[0].paragraphs[0].qas[0].answers | 1 answers of an impossible question | none
          squad  | a.json  | {"data": [{"paragraphs": [{"context": "abc"  | line 1   | Unexpected end-of-input | valid JSON
          squad  | a.jsonl | {"id": "1", "context": "abc", "question": "q", "answers": {"text": ["b"], "answer_start": []}} | line 1, answers | 1 texts, 0 starts | as many
          squad  | a.jsonl | {"id": "1", "context": "abc", "question": "q", "answers": {"text": [], "answer_start": []}}/{"id": "1", "context": "abc", "question": "q", "answers": {"text": [], "answer_start": []}} | line 2, id | "1" again | an id of its own
          squad  | a.jsonl | {"id": "1", "context": "abc"}   | line 1        | the columns id, context | id, context, question, answers
          squad  | a.csv   | x                               | name          | a.csv                   | .json, .jsonl, .ndjson or .parquet
          """)
  void aFaultIsNamedByItsPlace(
      String task, String name, String text, String place, String found, String expected)
      throws IOException {
    boolean xml = name.endsWith(".xml");
    String content = text.replace(xml ? "<b>/" : "/", xml ? "<b>\n" : "\n");
    Path file = folder.resolve(name);
    Files.writeString(file, xml ? content : content.replace('>', '\t'));
    expect(READERS.get(task), file, place, found, expected);
  }

  @Test
  void emptyFilesAreRefused() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.tsv"), "");
    expect(Glue.COLA::read, empty, "file", "no row", "at least one");
    Path header = Files.writeString(folder.resolve("header.tsv"), "sentence\tlabel\n\n");
    expect(Glue.SST2::read, header, "file", "no row", "at least one");
    Path json = Files.writeString(folder.resolve("empty.json"), "");
    expect(Alpaca::read, json, "file", "no row", "at least one");
    Path list = Files.writeString(folder.resolve("list.json"), "[]");
    expect(Alpaca::read, list, "file", "no row", "at least one");
    expect(Squad::read, json, "file", "nothing", "an object");
    Path data = Files.writeString(folder.resolve("data.json"), "{\"data\": []}");
    expect(Squad::read, data, "file", "no row", "at least one");
  }

  @Test
  void bytesThatAreNoTextAreRefusedByTheirLine() throws IOException {
    Path file = folder.resolve("bytes.tsv");
    Files.write(file, "sentence\tlabel\n\u00e9\t1\n".getBytes(StandardCharsets.ISO_8859_1));
    expect(Glue.SST2::read, file, "line 2", "bytes that are not UTF-8", "UTF-8 text");
    Path list = folder.resolve("bytes.json");
    Files.write(list, "[\n\"\u00e9\"]".getBytes(StandardCharsets.ISO_8859_1));
    expect(Alpaca::read, list, "file", "bytes that are not UTF-8", "UTF-8 text");
  }

  private static void expect(
      Reader reader, Path file, String place, String found, String expected) {
    MalformedFileException e =
        catchThrowableOfType(MalformedFileException.class, () -> reader.read(file));
    assertThat(e).isNotNull();
    assertThat(e.getMessage()).startsWith(file + ": " + place).doesNotContain("\n");
    assertThat(e.found()).contains(found);
    assertThat(e.expected()).contains(expected);
  }
}
