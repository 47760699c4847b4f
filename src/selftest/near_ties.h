// The decisions of a network that float32 cannot tell from their opposite: the sign of a value before a ReLU, and which
// of two values is the maximum of a window. A step of the ref backend in f64 shows which lie that near, and can be run
// with some of them turned.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/executor.h"

namespace pdarts::selftest {

// What lies nearer to a decision than this, in root mean squares of its channel, is a near tie: ten times what
// float32's rounding grows to over the cells of a network (1e-6 to 3e-6).
inline constexpr double kNearTie = 3e-5;

struct NearTie {
  std::string tensor;   // the node that makes it, and how many of that name came before: alike in every step's graph
  int64_t element = 0;  // of the tensor, in plain layout
  int64_t other = -1;   // under a maximum: the larger of the two; -1: the element lies before a ReLU
  double distance = 0;  // from the decision, in root mean squares of the channel: above zero

  std::string ToString() const;
  bool operator==(const NearTie&) const = default;
};

// Finds and turns the near ties of one plan, which must be of the ref backend in f64 without rewrites: there every ReLU
// and every maximum is a node of its own that reads a plain tensor.
class NearTies {
 public:
  explicit NearTies(const plan::Plan& plan);

  // Called after a step. Adds what the step made and is near a tie, but not exact ties: those are broken by rule (zero
  // is not positive, the first maximum wins), in f32 as in f64.
  void Find(const plan::Executor& executor, int step, std::vector<NearTie>& found) const;
  // Called after a step. Of what it made, moves the elements of `turned` to the other side: by twice their distance.
  void Turn(const plan::Executor& executor, int step, const std::vector<NearTie>& turned) const;

 private:
  struct Watched {
    int output = 0;  // of the step
    std::string tensor;
    bool relu = false;              // whether a ReLU reads it
    std::vector<ir::NodeId> pools;  // the max pools that read it
  };

  std::multimap<int, Watched> watched_;  // by step
};

}  // namespace pdarts::selftest
