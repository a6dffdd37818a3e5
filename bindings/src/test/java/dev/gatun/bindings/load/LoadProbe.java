package dev.gatun.bindings.load;

/// Loads libtorch in a process of its own and prints what came of it, one `key=value` a line. An
/// argument names a library that is opened before.
final class LoadProbe {
  private LoadProbe() {}

  @SuppressWarnings("restricted")
  public static void main(String[] arguments) {
    for (String library : arguments) {
      System.load(library);
    }
    try {
      LibTorch torch = LibTorch.load(line -> System.out.println("progress=" + line));
      torch.threads().set(1);
      System.out.println("version=" + torch.version());
      System.out.println("folder=" + torch.folder());
      System.out.println("source=" + torch.source());
      System.out.println("steps=" + torch.steps());
      System.out.println("libraries=" + torch.libraries());
      System.out.println("variables=" + torch.variables());
      System.out.println("blas=" + torch.blas());
      System.out.println("cuda=" + torch.withoutCuda().orElse("open"));
      System.out.println("openmp=" + torch.threads().openMpLibraries());
      System.out.println("threads=" + torch.threads().read());
      System.out.println("same=" + (LibTorch.load() == torch));
    } catch (LibTorchLinkError e) {
      System.out.println("steps=" + e.steps());
      System.out.println("error=" + e.getMessage());
    }
  }
}
