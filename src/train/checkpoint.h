// A run's state on disk: every slot in its plain layout, and what else the run needs to go on, in one safetensors file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace pdarts::train {

using SlotTensors = std::map<std::string, tensor::HostTensor>;
using SlotDescs = std::map<std::string, tensor::TensorDesc>;

struct Checkpoint {
  std::string kind;       // "search", "training"
  std::string signature;  // device::Backend::Signature of every process that worked on the run, joined by " > " where
                          // it changed
  std::string state;      // JSON: stage, epoch, batch, step, running sums; its keys belong to the run
  SlotTensors slots;
};

// The same bytes for the same content, with a SHA-256 over all of it in the metadata.
std::string Serialize(const Checkpoint& checkpoint);

// Throws a data error naming `where` for bytes that are cut short, changed in any bit, or of another format version.
Checkpoint ParseCheckpoint(std::string_view bytes, const std::string& where);

void WriteCheckpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);  // atomically
Checkpoint ReadCheckpoint(const std::filesystem::path& path);

// A data error that says the first difference, where the checkpoint is of another kind of run or its slots are not the
// network's.
void CheckKind(const Checkpoint& checkpoint, const std::string& kind, const std::string& where);
void CheckSlots(const SlotTensors& slots, const SlotDescs& expected, const std::string& where);

// The signature a run continues with: the stored one where the last entry is `signature`, else a usage error, or, where
// that is allowed, the stored one with `signature` added. More than one entry means that the bits are not reproducible;
// results say so.
std::string ContinueSignature(const std::string& stored, const std::string& signature, bool allow_change,
                              const std::string& where);
bool SignatureChanged(const std::string& signature);

}  // namespace pdarts::train
