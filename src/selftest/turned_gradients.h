// Whether first gradients in f32 are the exact ones but for decisions that f32 cannot tell from their opposite.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "selftest/near_ties.h"
#include "selftest/vectors.h"

namespace pdarts::selftest {

using Gradients = std::map<std::string, std::vector<double>>;  // by the name of the file's tensor
// The graphs, in a dtype, whose gradients on the first batch the file has as "first.grad.*".
using FirstGraphs = std::function<std::vector<ir::Graph>(tensor::DType)>;

struct TurnedGradients {
  size_t looked_at = 0;         // near ties, nearest first, until little was left to explain; 48 at most, 20 if in vain
  std::vector<NearTie> turned;  // those of them that the f32 run decides the other way
  GroupErrors exact;            // of f64, none turned, against the file
  GroupErrors errors;           // of the f32 gradients against f64 with these turned

  bool ExactHolds() const { return exact.worst <= kF64Trajectory; }  // else no near tie is looked at
  // Near ties are all that stands between the f32 gradients and the file's.
  bool Explains() const { return ExactHolds() && errors.worst <= kF32FirstGradient; }
};

// Runs the first step in f64 on `checker.exact`, then again with each near tie turned, and finds which of them make up
// the difference of `actual` from f64. The backend under test is seen through its gradients alone, so it may fuse and
// reorder as it likes; a wrong kernel finds no excuse here, since the difference must be made up by near ties to the
// tolerance.
TurnedGradients TurnNearTies(const VectorFile& file, const Checker& checker, const FirstGraphs& graphs,
                             const Gradients& actual);

}  // namespace pdarts::selftest
