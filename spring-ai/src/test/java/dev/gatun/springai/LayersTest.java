package dev.gatun.springai;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// What a descriptor would say if this module could have one.
class LayersTest {
  @Test
  void onlyWhatIsExportedIsUsed() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gatun.bindings..",
            "dev.gatun.runtime.internal..",
            "dev.gatun.runtime.kernel..",
            "dev.gatun.tokenizers..")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.gatun.springai"));
  }
}
