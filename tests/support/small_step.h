// A whole training step in miniature: stem, batch norm, a mixed node with a zero operation, head, loss, update.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/ops.h"
#include "plan/executor.h"

namespace pdarts::test {

// `training`: with gradients, SGD and running statistics; otherwise forward and loss only. Inputs: images [batch, 3, 6,
// 6], labels, rate. Outputs: loss, correct.
ir::Graph SmallStep(int64_t batch, bool training, tensor::DType dtype = tensor::DType::kF32);

// Sets every slot and input of the plan to values that depend on its name alone.
void FillSlots(plan::ModelStorage& storage);
void FillInputs(plan::ModelStorage& storage, const plan::Plan& plan);

// The bytes of all slots, by the order of first sight, and of an output.
std::vector<std::vector<std::byte>> SlotBytes(plan::ModelStorage& storage);

}  // namespace pdarts::test
