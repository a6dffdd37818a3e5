package dev.gatun.models.metrics;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Porter's stemmer with NLTK's extensions, which is what ROUGE and METEOR in Python use.
///
/// Source: Porter 1980, "An algorithm for suffix stripping", whose steps and terms (measure, `*v*`,
/// `*o`) are used here; the extensions are those of `nltk.stem.PorterStemmer` by default.
final class PorterStemmer {
  private static final Map<String, String> IRREGULAR =
      Map.ofEntries(
          Map.entry("sky", "sky"),
          Map.entry("skies", "sky"),
          Map.entry("dying", "die"),
          Map.entry("lying", "lie"),
          Map.entry("tying", "tie"),
          Map.entry("news", "news"),
          Map.entry("innings", "inning"),
          Map.entry("inning", "inning"),
          Map.entry("outings", "outing"),
          Map.entry("outing", "outing"),
          Map.entry("cannings", "canning"),
          Map.entry("canning", "canning"),
          Map.entry("howe", "howe"),
          Map.entry("proceed", "proceed"),
          Map.entry("exceed", "exceed"),
          Map.entry("succeed", "succeed"));

  private record Rule(String suffix, String replacement) {}

  private static final List<Rule> STEP_1A =
      List.of(
          new Rule("sses", "ss"), new Rule("ies", "i"), new Rule("ss", "ss"), new Rule("s", ""));

  private static final List<Rule> STEP_2 =
      List.of(
          new Rule("ational", "ate"),
          new Rule("tional", "tion"),
          new Rule("enci", "ence"),
          new Rule("anci", "ance"),
          new Rule("izer", "ize"),
          new Rule("bli", "ble"),
          new Rule("alli", "al"),
          new Rule("entli", "ent"),
          new Rule("eli", "e"),
          new Rule("ousli", "ous"),
          new Rule("ization", "ize"),
          new Rule("ation", "ate"),
          new Rule("ator", "ate"),
          new Rule("alism", "al"),
          new Rule("iveness", "ive"),
          new Rule("fulness", "ful"),
          new Rule("ousness", "ous"),
          new Rule("aliti", "al"),
          new Rule("iviti", "ive"),
          new Rule("biliti", "ble"),
          new Rule("fulli", "ful"));

  private static final List<Rule> STEP_3 =
      List.of(
          new Rule("icate", "ic"),
          new Rule("ative", ""),
          new Rule("alize", "al"),
          new Rule("iciti", "ic"),
          new Rule("ical", "ic"),
          new Rule("ful", ""),
          new Rule("ness", ""));

  private static final List<Rule> STEP_4 =
      List.of(
          new Rule("al", ""),
          new Rule("ance", ""),
          new Rule("ence", ""),
          new Rule("er", ""),
          new Rule("ic", ""),
          new Rule("able", ""),
          new Rule("ible", ""),
          new Rule("ant", ""),
          new Rule("ement", ""),
          new Rule("ment", ""),
          new Rule("ent", ""),
          new Rule("ou", ""),
          new Rule("ism", ""),
          new Rule("ate", ""),
          new Rule("iti", ""),
          new Rule("ous", ""),
          new Rule("ive", ""),
          new Rule("ize", ""));

  private PorterStemmer() {}

  /// Returns the stem of a word.
  ///
  /// @param word in lower case
  static String stem(String word) {
    String irregular = IRREGULAR.get(word);
    if (irregular != null) {
      return irregular;
    }
    if (length(word) <= 2) {
      return word;
    }
    return step5(step4(replace(step2(step1c(step1b(step1a(word)))), STEP_3, s -> measure(s) > 0)));
  }

  /// Plurals.
  private static String step1a(String word) {
    return word.endsWith("ies") && length(word) == 4
        ? cut(word, 1)
        : replace(word, STEP_1A, stem -> true);
  }

  /// -ed and -ing.
  private static String step1b(String word) {
    if (word.endsWith("ied")) {
      return cut(word, length(word) == 4 ? 1 : 2);
    }
    if (word.endsWith("eed")) {
      return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
    }
    String stem = word.endsWith("ed") ? cut(word, 2) : word.endsWith("ing") ? cut(word, 3) : "";
    if (!containsVowel(stem)) {
      return word;
    }
    if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) {
      return stem + "e";
    }
    if (endsInDoubleConsonant(stem)) {
      return "lsz".indexOf(stem.charAt(stem.length() - 1)) >= 0 ? stem : cut(stem, 1);
    }
    return measure(stem) == 1 && endsShort(stem) ? stem + "e" : stem;
  }

  /// A last y after a consonant.
  private static String step1c(String word) {
    boolean changes = word.endsWith("y") && length(word) > 2 && !vowels(word)[word.length() - 2];
    return changes ? cut(word, 1) + "i" : word;
  }

  /// Double suffixes.
  private static String step2(String word) {
    if (word.endsWith("alli") && measure(cut(word, 4)) > 0) {
      return step2(cut(word, 2));
    }
    if (word.endsWith("logi")) {
      return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
    }
    return replace(word, STEP_2, stem -> measure(stem) > 0);
  }

  /// Single suffixes of long words.
  private static String step4(String word) {
    if (word.endsWith("ion")) {
      String stem = cut(word, 3);
      return measure(stem) > 1 && (stem.endsWith("s") || stem.endsWith("t")) ? stem : word;
    }
    return replace(word, STEP_4, stem -> measure(stem) > 1);
  }

  /// A last e, and a double l.
  private static String step5(String word) {
    String stem = word;
    if (word.endsWith("e")) {
      int measure = measure(cut(word, 1));
      stem = measure > 1 || (measure == 1 && !endsShort(cut(word, 1))) ? cut(word, 1) : word;
    }
    return stem.endsWith("ll") && measure(cut(stem, 1)) > 1 ? cut(stem, 1) : stem;
  }

  /// Applies the first rule whose suffix fits, if the stem left by it meets the condition.
  private static String replace(String word, List<Rule> rules, Predicate<String> condition) {
    for (Rule rule : rules) {
      if (word.endsWith(rule.suffix())) {
        String stem = cut(word, rule.suffix().length());
        return condition.test(stem) ? stem + rule.replacement() : word;
      }
    }
    return word;
  }

  private static String cut(String word, int letters) {
    return word.substring(0, word.length() - letters);
  }

  /// Number of characters as Python counts them.
  private static int length(String word) {
    return word.codePointCount(0, word.length());
  }

  /// Returns which letters are vowels: a, e, i, o, u, and a y after a consonant.
  private static boolean[] vowels(String word) {
    boolean[] vowels = new boolean[word.length()];
    for (int i = 0; i < vowels.length; i++) {
      char letter = word.charAt(i);
      vowels[i] = letter == 'y' ? i > 0 && !vowels[i - 1] : "aeiou".indexOf(letter) >= 0;
    }
    return vowels;
  }

  /// Number of changes from vowel to consonant: m in `[C](VC)^m[V]`.
  private static int measure(String stem) {
    boolean[] vowels = vowels(stem);
    int measure = 0;
    for (int i = 1; i < vowels.length; i++) {
      measure += vowels[i - 1] && !vowels[i] ? 1 : 0;
    }
    return measure;
  }

  /// Porter's `*v*`.
  private static boolean containsVowel(String stem) {
    for (boolean vowel : vowels(stem)) {
      if (vowel) {
        return true;
      }
    }
    return false;
  }

  /// Porter's `*d`.
  private static boolean endsInDoubleConsonant(String stem) {
    int last = stem.length() - 1;
    return last > 0 && stem.charAt(last) == stem.charAt(last - 1) && !vowels(stem)[last];
  }

  /// Porter's `*o`: ends consonant, vowel, consonant other than w, x and y; NLTK adds the words of
  /// two letters, vowel and consonant.
  private static boolean endsShort(String stem) {
    boolean[] vowels = vowels(stem);
    int last = stem.length() - 1;
    if (last < 1 || vowels[last] || !vowels[last - 1]) {
      return false;
    }
    return last == 1 || (!vowels[last - 2] && "wxy".indexOf(stem.charAt(last)) < 0);
  }
}
