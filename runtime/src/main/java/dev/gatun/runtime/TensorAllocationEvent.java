package dev.gatun.runtime;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// Off by default: a training step makes hundreds.
@Name("dev.gatun.TensorAllocation")
@Label("Tensor Allocation")
@Category("Gatun")
@Description("Native memory of a new tensor that shares it with no other")
@Enabled(false)
final class TensorAllocationEvent extends Event {
  @Label("Device")
  String device = "";

  @Label("Size")
  @DataAmount
  long bytes;

  @Label("Live Bytes")
  @Description("Native bytes of all tensors of the device, this one included")
  @DataAmount
  long liveBytes;

  static void emit(Device device, long bytes) {
    TensorAllocationEvent event = new TensorAllocationEvent();
    if (event.shouldCommit()) {
      event.device = device.toString();
      event.bytes = bytes;
      event.liveBytes = NativeMemory.liveBytes(device);
      event.commit();
    }
  }
}
