/// Finds, opens and binds libtorch through the Foreign Function and Memory API.
module dev.gatun.bindings {
  requires static transitive org.jspecify;

  exports dev.gatun.bindings.load;
}
