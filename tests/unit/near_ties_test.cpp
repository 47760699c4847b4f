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

// The sum of two inputs under a ReLU and a maximum.
class SumUnderDecisions {
 public:
  SumUnderDecisions(const Shape& shape, const ops::PoolAttributes& pool) : desc_{DType::kF64, shape} {
    ir::Graph graph;
    const ir::ValueId sum = ops::AddN(graph, {graph.Input("a", desc_), graph.Input("b", desc_)});
    graph.Output("relu", ops::Relu(graph, sum));
    graph.Output("max", ops::MaxPool(graph, sum, pool));
    plan_ = plan::Compile(graph, *backend_, {.disabled_passes = passes::RewriteNames()});
    executor_.emplace(plan_, storage_);
    ties_.emplace(plan_);
  }

  // Runs on a sum of these values; with `turned`.
  std::vector<NearTie> Run(const std::vector<double>& values, const std::vector<NearTie>& turned = {}) {
    storage_.Input(plan_, "a").Set(HostTensor::FromDoubles(desc_, values));
    storage_.Input(plan_, "b").Set(HostTensor::FromDoubles(desc_, std::vector<double>(values.size(), 0)));
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
  TensorDesc desc_;
  std::unique_ptr<device::Backend> backend_ = backends::NewRefBackend();
  plan::Plan plan_;
  plan::ModelStorage storage_;
  std::optional<plan::Executor> executor_;
  std::optional<NearTies> ties_;
};

const Shape kTwoChannels{1, 2, 2, 2};  // the first one's root mean square is 2 in the tests, but for rounding
const ops::PoolAttributes kWholeImage{2, 2, 0};

TEST_CASE("values near zero before a ReLU are found and turned", "[selftest]") {
  SumUnderDecisions sum(kTwoChannels, kWholeImage);
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
  SumUnderDecisions sum(kTwoChannels, kWholeImage);
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

TEST_CASE("overlapping windows find a tie as often as they see it, in the image and channel where it lies",
          "[selftest]") {
  SumUnderDecisions sum({2, 1, 3, 3}, {3, 1, 1});
  std::vector<double> values(18, -5);
  values[9 + 4] = 3, values[9 + 5] = 3 - 3e-5, values[0] = 1;  // second image: the middle and its right neighbour
  const std::vector<NearTie> found = sum.Run(values);
  CHECK(found.size() == 6);  // both lie in the windows of the two columns on the right
  for (const NearTie& tie : found) {
    CHECK(tie.element == 14);
    CHECK(tie.other == 13);
  }
  sum.Run(values, {found[0]});
  CHECK(sum.Output("relu")[14] == 3);
  CHECK(sum.Output("relu")[13] == 3 - 3e-5);
}

}  // namespace
}  // namespace pdarts::selftest
