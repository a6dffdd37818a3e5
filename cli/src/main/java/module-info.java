/// The program behind `./gatun`.
module dev.gatun.cli {
  requires dev.gatun.models;
  requires dev.gatun.tokenizers;
  requires info.picocli;
  requires tools.jackson.databind;
  requires static com.google.errorprone.annotations;
  requires static org.jspecify;

  opens dev.gatun.cli to
      info.picocli;
}
