#include "train/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"
#include "tensor/safetensors.h"

namespace pdarts::train {
namespace {

constexpr const char* kFormat = "pdarts-checkpoint-1";
constexpr const char* kNoDigest = "0000000000000000000000000000000000000000000000000000000000000000";

base::Error Damaged(const std::string& what, const std::string& where) {
  return base::DataError(what, where,
                         "the checkpoint is damaged: restore it from a copy, or begin again in a new --out folder");
}

std::string Format(const Checkpoint& checkpoint, const std::string& digest) {
  tensor::SafetensorsFile file;
  file.metadata = {{"format", kFormat},
                   {"kind", checkpoint.kind},
                   {"signature", checkpoint.signature},
                   {"state", checkpoint.state},
                   {"sha256", digest}};
  file.tensors = checkpoint.slots;
  return tensor::FormatSafetensors(file);
}

}  // namespace

std::string Serialize(const Checkpoint& checkpoint) {
  // The digest is taken over the file with the digest's own place zeroed; it has a fixed length, so nothing moves.
  return Format(checkpoint, base::Sha256Hex(Format(checkpoint, kNoDigest)));
}

Checkpoint ParseCheckpoint(std::string_view bytes, const std::string& where) {
  tensor::SafetensorsFile file = tensor::ParseSafetensors(bytes, where);
  const auto meta = [&](const char* key) {
    const auto it = file.metadata.find(key);
    if (it == file.metadata.end()) throw Damaged(fmt::format("no '{}' in the metadata: not a checkpoint", key), where);
    return it->second;
  };
  if (meta("format") != kFormat)
    throw base::DataError(fmt::format("a checkpoint of format '{}'", meta("format")), where,
                          fmt::format("this version reads {}", kFormat));
  Checkpoint checkpoint{meta("kind"), meta("signature"), meta("state"), std::move(file.tensors)};
  if (Serialize(checkpoint) != bytes) throw Damaged("the content does not match its SHA-256", where);
  return checkpoint;
}

void WriteCheckpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  base::WriteFileAtomically(path, Serialize(checkpoint));
}

Checkpoint ReadCheckpoint(const std::filesystem::path& path) {
  return ParseCheckpoint(base::ReadFile(path), path.string());
}

void CheckKind(const Checkpoint& checkpoint, const std::string& kind, const std::string& where) {
  if (checkpoint.kind != kind)
    throw base::DataError(fmt::format("this is the checkpoint of a {}, not of a {}", checkpoint.kind, kind), where,
                          "give the folder of the right run");
}

void CheckSlots(const SlotTensors& slots, const SlotDescs& expected, const std::string& where) {
  const char* remedy = "it belongs to another network: use the options it was made with";
  for (const auto& [name, desc] : expected) {
    const auto it = slots.find(name);
    if (it == slots.end()) throw base::DataError(fmt::format("the checkpoint has no tensor '{}'", name), where, remedy);
    if (!(it->second.desc() == desc))
      throw base::DataError(
          fmt::format("tensor '{}' is {} {}, the network's is {} {}", name, tensor::Name(it->second.desc().dtype),
                      it->second.shape().ToString(), tensor::Name(desc.dtype), desc.shape.ToString()),
          where, remedy);
  }
  for (const auto& [name, tensor] : slots)
    if (!expected.contains(name))
      throw base::DataError(fmt::format("the network has no tensor '{}'", name), where, remedy);
}

std::string ContinueSignature(const std::string& stored, const std::string& signature, bool allow_change,
                              const std::string& where) {
  const size_t last = stored.rfind(" > ");
  const std::string latest = last == std::string::npos ? stored : stored.substr(last + 3);
  if (latest == signature) return stored;
  if (!allow_change)
    throw base::UsageError(
        fmt::format("the run was made with '{}', this process is '{}': it would not give the same bits", latest,
                    signature),
        where, "use the same binary, --isa and --threads, or accept it with --allow-signature-change");
  return stored + " > " + signature;
}

bool SignatureChanged(const std::string& signature) { return signature.find(" > ") != std::string::npos; }

}  // namespace pdarts::train
