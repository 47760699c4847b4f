// What a training needs in memory, known before anything runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/step_graphs.h"

namespace pdarts::device {
class Backend;
}

namespace pdarts::train {

// Bytes, of the storage that the plans of a training share.
struct PlannedMemory {
  size_t slots = 0;      // weights, momenta, running statistics
  size_t inputs = 0;     // images, labels, scalars
  size_t temporary = 0;  // the arena of the step that needs most
  size_t steps = 0;      // kernels in a weights step
  size_t total() const { return slots + inputs + temporary; }
};

// Compiles the weights step and the evaluation as a training does, for batches of options.batch images, and adds up
// what they share. Allocates none of it.
PlannedMemory PlanMemory(const nn::EvaluationNetworkSpec& spec, const nn::StepOptions& options,
                         device::Backend& backend);

}  // namespace pdarts::train
