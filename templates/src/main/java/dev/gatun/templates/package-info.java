/// Chat templates of Hugging Face model directories, rendered as transformers renders them.
///
/// A template is a program in Jinja on Python values. This package has an interpreter of the part
/// that chat templates use, whose parser follows that of Jinja 3.1 and whose values follow Python's
/// rules. jinjava 2.8.4, the one maintained Jinja on the JVM, wrote 98 of the 346 conversations and
/// 21 of the 100 constructs of this module's fixtures as transformers does: its expressions are
/// Java's (`'a' + 1` is `a1`, a string has no `lstrip`, `startswith` or `endswith`), its values are
/// reached by reflection, and it comes with twenty jars, none of them a module.
///
/// Left out, with an error that says so: inheritance and `include`, `import`, `block`, recursive
/// loops, `*` and `**` in calls, and the filters and tests of HTML.
///
/// A template reaches nothing but the values it is given: every attribute, filter and function is
/// one of a list, nothing is looked up by reflection, and no value can be changed but a namespace's
/// own. Steps, characters made and depth are bounded ([ChatTemplate]).
@NullMarked
package dev.gatun.templates;

import org.jspecify.annotations.NullMarked;
