package dev.gatun.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.module.ModuleReference;
import java.lang.module.ResolvedModule;
import java.lang.ref.Cleaner;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The rules between modules and packages, checked here because this module sees all the others,
/// the benchmarks apart.
class ArchitectureTest {

  private static JavaClasses gatun;

  @BeforeAll
  static void readModules() {
    List<ModuleReference> modules =
        ModuleLayer.boot().configuration().modules().stream()
            .map(ResolvedModule::reference)
            .filter(module -> module.descriptor().name().startsWith("dev.gatun."))
            .toList();
    assertThat(modules)
        .extracting(module -> module.descriptor().name())
        .containsExactlyInAnyOrder(
            "dev.gatun.bindings",
            "dev.gatun.runtime",
            "dev.gatun.models",
            "dev.gatun.tokenizers",
            "dev.gatun.templates",
            "dev.gatun.chat",
            "dev.gatun.server",
            "dev.gatun.parquet",
            "dev.gatun.cli");
    gatun =
        new ClassFileImporter()
            .importLocations(modules.stream().map(ArchitectureTest::location).toList());
  }

  private static Location location(ModuleReference module) {
    URI uri = module.location().orElseThrow();
    return Location.of(uri.getPath().endsWith(".jar") ? URI.create("jar:" + uri + "!/") : uri);
  }

  @ParameterizedTest
  @CsvSource({
    "bindings,   runtime models tokenizers templates chat server parquet cli",
    "runtime,    models tokenizers templates chat server parquet cli",
    "models,     bindings tokenizers templates chat server parquet cli",
    "tokenizers, bindings templates chat server parquet cli",
    "templates,  bindings tokenizers chat server parquet cli",
    "chat,       bindings server parquet cli",
    "server,     bindings tokenizers templates parquet cli",
    "parquet,    bindings tokenizers templates chat server cli",
    "cli,        bindings parquet",
  })
  void modulesDependOneWay(String module, String others) {
    noClasses()
        .that()
        .resideInAPackage("dev.gatun." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            Stream.of(others.split(" "))
                .map(other -> "dev.gatun." + other + "..")
                .toArray(String[]::new))
        .check(gatun);
  }

  @Test
  void onlyTheInternalPackageOfTheRuntimeUsesTheBindings() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.gatun.runtime.internal..", "dev.gatun.bindings..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.gatun.bindings..")
        .check(gatun);
  }

  @Test
  void onlyTheBindingsLinkNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.gatun.bindings..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Linker.class, SymbolLookup.class)
        .check(gatun);
  }

  @Test
  void packagesHaveNoCycles() {
    // a package and its hidden `internal` half are one unit
    slices()
        .assignedFrom(
            new SliceAssignment() {
              @Override
              public SliceIdentifier getIdentifierOf(JavaClass type) {
                return SliceIdentifier.of(
                    type.getPackageName().replaceAll("[.]internal([.].*)?$", ""));
              }

              @Override
              public String getDescription() {
                return "packages";
              }
            })
        .should()
        .beFreeOfCycles()
        .check(gatun);
  }

  @Test
  void nativeMemoryHasAnOwner() {
    // What jextract writes keeps its library lookups in an automatic arena.
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.gatun.bindings..")
        .should()
        .callMethod(Arena.class, "ofAuto")
        .orShould()
        .dependOnClassesThat()
        .belongToAnyOf(Cleaner.class)
        .check(gatun);
  }
}
