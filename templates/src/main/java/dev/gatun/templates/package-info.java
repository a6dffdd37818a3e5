/// Chat templates of Hugging Face model directories, rendered as transformers renders them.
///
/// A template is a program in Jinja on Python values. This package has an interpreter of the part
/// that chat templates use, whose parser follows that of Jinja 3.1 and whose values follow Python's
/// rules. jinjava 2.8.4 was tried first, without work-arounds: it wrote 98 of the 346 conversations
/// of this module's fixtures as transformers does. Its expressions are Java's (`'a' + 1` is `a1`, a
/// string has no `lstrip` or `endswith`), it reaches values by reflection, and it comes with some
/// thirty jars and is no module.
///
/// Left out, with an error that says so: `include`, `import`, `extends` and `block`, recursive
/// loops, `*` and `**` in calls, format specifications of `str.format`, `cycler`, and the filters
/// and tests of HTML.
///
/// A template reaches nothing but the values it is given: every attribute, filter and function is
/// one of a list, nothing is looked up by reflection, and no value can be changed but a namespace's
/// own. Steps, characters made and depth are bounded ([ChatTemplate]).
@NullMarked
package dev.gatun.templates;

import org.jspecify.annotations.NullMarked;
