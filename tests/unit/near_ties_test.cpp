#include "selftest/near_ties.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "backends/ref/ref_backend.h"
#include "ops/ops.h"
#include "passes/rewrite.h"

namespace pdarts::selftest {
namespace {

using Catch::Matchers::WithinRel;
using tensor::DType, tensor::HostTensor, tensor::Shape, tensor::TensorDesc;

const TensorDesc kDesc{DType::kF64, Shape{1, 2, 2, 2}};

// The sum of two inputs under a ReLU and a maximum over 2x2; the first channel's root mean square is 2 but for
// rounding.
class SumUnderDecisions {
 public:
  SumUnderDecisions() : backend_(backends::NewRefBackend()) {
    ir::Graph graph;
    const ir::ValueId sum = ops::AddN(graph, {graph.Input("a", kDesc), graph.Input("b", kDesc)});
    graph.Output("relu", ops::Relu(graph, sum));
    graph.Output("max", ops::MaxPool(graph, sum, {2, 2, 0}));
    plan_ = plan::Compile(graph, *backend_, {.disabled_passes = passes::RewriteNames()});
    executor_.emplace(plan_, storage_);
    ties_.emplace(plan_);
  }

  // Runs on a sum of these values; with `turned`.
  std::vector<NearTie> Run(const std::vector<double>& values, const std::vector<NearTie>& turned = {}) {
    storage_.Input(plan_, "a").Set(HostTensor::FromDoubles(kDesc, values));
    storage_.Input(plan_, "b").Set(HostTensor::FromDoubles(kDesc, std::vector<double>(8, 0)));
    std::vector<NearTie> found;
    executor_->Prepare();
    for (int step = 0; step < static_cast<int>(plan_.steps().size()); ++step)
      executor_->RunStep(step, [&] {
        ties_->Find(*executor_, step, found);
        ties_->Turn(*executor_, step, turned);
      });
    return found;
  }
  std::vector<double> Output(const std::string& name) { return storage_.Output(plan_, name).Copy().ToDoubles(); }

 private:
  std::unique_ptr<device::Backend> backend_;
  plan::Plan plan_;
  plan::ModelStorage storage_;
  std::optional<plan::Executor> executor_;
  std::optional<NearTies> ties_;
};

TEST_CASE("values near zero before a ReLU are found and turned", "[selftest]") {
  SumUnderDecisions sum;
  const std::vector<double> values{4, -1e-5, 0, 1e-4, 1, 2, 3, 5};
  const std::vector<NearTie> found = sum.Run(values);
  REQUIRE(found.size() == 1);  // 1e-4 is too far, and zero itself is no tie
  CHECK(found[0].element == 1);
  CHECK(found[0].other == -1);
  CHECK_THAT(found[0].distance, WithinRel(5e-6, 1e-6));
  CHECK(sum.Output("relu") == std::vector<double>{4, 0, 0, 1e-4, 1, 2, 3, 5});
  sum.Run(values, found);
  CHECK(sum.Output("relu") == std::vector<double>{4, 1e-5, 0, 1e-4, 1, 2, 3, 5});
}

TEST_CASE("values near each other under a maximum are found and turned", "[selftest]") {
  SumUnderDecisions sum;
  // Two are equal in the second channel: no near tie, the first one wins everywhere.
  const std::vector<double> values{2, 2 - 1e-5, -2, -2, 3, 1, 1, 3};
  const std::vector<NearTie> found = sum.Run(values);
  REQUIRE(found.size() == 1);
  CHECK(found[0].element == 1);
  CHECK(found[0].other == 0);
  CHECK_THAT(found[0].distance, WithinRel(5e-6, 1e-5));
  sum.Run(values, found);
  CHECK(sum.Output("max") == std::vector<double>{2, 3});
  CHECK(sum.Output("relu") == std::vector<double>{2 - 1e-5, 2, 0, 0, 3, 1, 1, 3});
}

}  // namespace
}  // namespace pdarts::selftest
